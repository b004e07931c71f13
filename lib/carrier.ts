// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The company behind the trunk, as the settings name it.

import type { Clock } from './calls/ports.ts'
import type { NumberFacts, TrunkProvider } from './calls/trunk-provider.ts'
import type { Guards } from './guard.ts'
import type { Logger } from './logger.ts'
import type { ProviderSettings } from './policy/settings.ts'
import type { ApiFault } from './provider/api-client.ts'

import { isDeepStrictEqual } from 'node:util'
import { ApiError } from './provider/api-client.ts'
import { openProvider } from './provider/index.ts'

/** What was told of a number, or why nothing was. */
export type LookUp = { facts: NumberFacts } | { fault: ApiFault }

export interface Carrier {
	/** The one that counts now. */
	provider: () => TrunkProvider
	/** One that is not saved. */
	open: (settings: ProviderSettings) => TrunkProvider
	/** ISO countries that it lets through; undefined = not known. It never waits. */
	countries: () => readonly string[] | undefined
	/** Whether it says what calls have cost. */
	hasCosts: () => boolean
	/** What it knows of a number, E.164; undefined = it is not to be asked. */
	lookUp: (number: string) => Promise<LookUp | undefined>
	/** Another one may count from now on. */
	take: (settings: ProviderSettings) => void
}

export function startCarrier(settings: ProviderSettings, { guards, clock, logger }: { guards: Guards, clock: Clock, logger: Logger }): Carrier {
	const context = { now: () => clock.now().getTime(), logger: logger.child({ component: 'provider' }) }
	const openForUse = (ofProvider: ProviderSettings) => {
		guards.remove({ part: 'carrier' })
		return openProvider(ofProvider, { ...context, guards })
	}
	let current = { settings, provider: openForUse(settings) }
	return {
		provider: () => current.provider,
		open: (ofProvider) => openProvider(ofProvider, context),
		countries: () => current.provider.limits?.()?.countries,
		hasCosts: () => current.provider.costs !== undefined,
		lookUp: async (number) => {
			const { provider } = current
			if (provider.lookup === undefined) {
				return undefined
			}
			try {
				return { facts: await provider.lookup(number) }
			} catch (error) {
				return { fault: error instanceof ApiError ? error.fault : 'unreachable' }
			}
		},
		take: (next) => {
			if (!isDeepStrictEqual(next, current.settings)) {
				current = { settings: next, provider: openForUse(next) }
			}
		},
	}
}
