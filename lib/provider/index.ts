// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// All companies that there are. Another one is a file of its own and a line in here: see docs/developer/providers.md.

import type { TrunkProvider } from '../calls/trunk-provider.ts'
import type { Guards } from '../guard.ts'
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
	/** Where others see how it answers; left out = nobody looks. */
	guards?: Guards
}

export interface ProviderKind {
	/** A name, in no language. */
	displayName: string
	/** Whether it takes a key. */
	hasApi: boolean
	/** Opens no connection: that is done with the first question. */
	open: (settings: ProviderSettings, context: ProviderContext) => TrunkProvider
}

const KINDS = { generic, telnyx }

/** What can be done with some companies; who knows others of them, such as a test, has them here. */
export interface Providers {
	kinds: readonly { kind: string, displayName: string, hasApi: boolean }[]
	isKind: (kind: string) => boolean
	/** @param settings of a kind that is there, which the settings' own rules see to */
	open: (settings: ProviderSettings, context: ProviderContext) => TrunkProvider
}

/** @param kinds by what `provider.kind` of the settings calls them */
export function providersOf(kinds: Readonly<Record<string, ProviderKind>>): Providers {
	return {
		kinds: Object.entries(kinds).map(([kind, { displayName, hasApi }]) => ({ kind, displayName, hasApi })),
		isKind: (kind) => Object.hasOwn(kinds, kind),
		open: (settings, context) => (kinds[settings.kind] ?? generic).open(settings, context),
	}
}

export const { kinds: PROVIDER_KINDS, isKind: isProviderKind, open: openProvider } = providersOf(KINDS)
