// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// All companies that there are. Another one is a file of its own and a line in here: see docs/developer/providers.md.

import type { TrunkProvider } from '../calls/trunk-provider.ts'
import type { Logger } from '../logger.ts'
import type { ProviderSettings } from '../policy/settings.ts'

import { generic } from './generic.ts'
import { telnyx } from './telnyx.ts'

export interface ProviderContext {
	logger: Logger
	/** Milliseconds. */
	now: () => number
	/** For tests: less than a network needs. */
	timeoutMs?: number
	maxAnswerBytes?: number
}

export interface ProviderKind {
	/** A name, in no language. */
	displayName: string
	/** Whether it takes a key. */
	hasApi: boolean
	/** Opens no connection: that is done with the first question. */
	open: (settings: ProviderSettings, context: ProviderContext) => TrunkProvider
}

const KINDS: Readonly<Record<string, ProviderKind>> = { generic, telnyx }

export const PROVIDER_KINDS: readonly { kind: string, displayName: string, hasApi: boolean }[] = Object.entries(KINDS).map(([kind, { displayName, hasApi }]) => ({ kind, displayName, hasApi }))

/** @param settings of a kind that is there, which the settings' own rules see to */
export function openProvider(settings: ProviderSettings, context: ProviderContext): TrunkProvider {
	return (KINDS[settings.kind] ?? generic).open(settings, context)
}

export function isProviderKind(kind: string): boolean {
	return Object.hasOwn(KINDS, kind)
}
