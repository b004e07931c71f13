// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the parts of the stand-in share: the running switch and the record of what it was asked. */

import type { Core } from './core.ts'
import type { Story } from './stories.ts'
import type { OriginateLeg, OriginateLine } from './tokenizer.ts'

export interface ParsedOriginate {
	jobUuid: string
	aDialString: string
	aVariables: Record<string, string>
	/** The B legs in the argument of `bridge`; those of a higher group are tried after the others failed. */
	legs: OriginateLeg[]
	line: string
	/** All that the line would do, for whoever looks for an injection. */
	parsed: OriginateLine
}

export interface AskedCommand {
	connection: number
	command: string
	headers: Record<string, string>
}

export interface Desk {
	readonly core: Core
	readonly password: string
	/** Users of `userauth` and their passwords. */
	readonly users: Readonly<Record<string, string>>
	readonly originates: ParsedOriginate[]
	/** The story of each attempt to reach the destination. */
	storiesOf(originate: ParsedOriginate): readonly Story[]
	/** `fsctl shutdown` */
	shutDown(): void
}
