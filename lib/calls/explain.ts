// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What would happen if somebody called a number: the very rules of a call, without the call, and without counting.

import type { ParsedNumber } from '../numbering/parse-number.ts'
import type { Money } from '../policy/rates.ts'
import type { LimitState } from '../policy/refusal.ts'
import type { Settings } from '../policy/settings.ts'
import type { UserRule } from '../policy/user-rule.ts'
import type { AllowedCall, CallingUser } from './call-rules.ts'
import type { Device } from './device.ts'
import type { GatewayWatch } from './gateway-watch.ts'
import type { CallLimiter, CallStore, Clock } from './ports.ts'

import { SipCallError } from '../errors.ts'
import { parseNumber } from '../numbering/parse-number.ts'
import { dayOf } from '../policy/calendar.ts'
import { rateFor } from '../policy/rates.ts'
import { confirmationFor } from '../policy/rules.ts'
import { settingsFor } from '../policy/user-rule.ts'
import { allowCall, factsFor, quotasOf, readingFor } from './call-rules.ts'
import { quotaRefusal, refused } from './refusals.ts'

export interface Explanation {
	/** undefined when no number can be read. */
	number: ParsedNumber | undefined
	/** Why it would be refused; undefined = it would be placed. */
	refusal: SipCallError | undefined
	/** E.164; undefined = the gateway's own, or refused. */
	callerId: string | undefined
	/** Tried first. */
	gateway: string | undefined
	/** A minute costs; undefined = nobody has told. */
	perMinute: Money | undefined
	/** What a person should be asked before. */
	confirm: 'expensive' | 'new_country' | undefined
}

export interface ExplainerOptions {
	/** Lines that transferred calls hold. */
	store: Pick<CallStore, 'facts'>
	gateways: Pick<GatewayWatch, 'inOrder'>
	limiter: CallLimiter
	devices: (userId: string) => Promise<Device[]>
	/** ISO countries that the company behind the trunk lets through; undefined = not known. */
	carrierCountries: () => readonly string[] | undefined
	clock: Clock
}

export class Explainer {
	readonly #options: ExplainerOptions

	constructor(options: ExplainerOptions) {
		this.#options = options
	}

	/** How far a user's limits are used, and what is decided for the user. Sums of money are everybody's, and not told. */
	async limits(user: Pick<CallingUser, 'id'>, settings: Settings): Promise<{ limits: LimitState[], rule: UserRule }> {
		const { store, limiter, clock } = this.#options
		const at = clock.now()
		const { rule, facts } = await store.facts({ ...factsFor(user, '', settings, at), isSpendLimited: false })
		const own = settingsFor(settings, rule)
		const counted = await limiter.look(user.id, quotasOf(own))
		const { maxDistinctPerDay, maxConcurrentPerUser, maxCallSec, timeZone } = own
		return {
			rule,
			limits: [
				...counted.toReversed().map(({ quota: { kind, max }, used, resetSec }): LimitState => ({ kind, used, max, ...(resetSec === undefined ? {} : { resetsAt: new Date(at.getTime() + resetSec * 1000) }) })),
				...(maxDistinctPerDay === null ? [] : [{ kind: 'maxDistinctPerDay', used: facts.distinctToday, max: maxDistinctPerDay, resetsAt: dayOf(at, timeZone).to, timeZone }]),
				{ kind: 'maxConcurrentPerUser', used: facts.openOfUser, max: maxConcurrentPerUser },
				{ kind: 'maxCallSec', max: maxCallSec },
			],
		}
	}

	/** @param settings as they are for this user */
	async usedToday(userId: string, settings: Settings): Promise<{ used: number, max: number }> {
		const day = quotasOf(settings).filter(({ kind }) => kind === 'callsPerDay')
		const [use] = await this.#options.limiter.look(userId, day)
		return { used: use?.used ?? 0, max: settings.callsPerDay }
	}

	/**
	 * @param settings those in force, or those that somebody thinks of
	 */
	async explain(user: CallingUser, to: string, settings: Settings): Promise<Explanation> {
		const { store, limiter, devices, clock } = this.#options
		const at = clock.now()
		const [known, list] = await Promise.all([store.facts(factsFor(user, to, settings, at)), devices(user.id)])
		const own = settingsFor(settings, known.rule)
		const parsed = parseNumber(to, readingFor(user, settings).homeCountry)
		const number = 'fault' in parsed ? undefined : parsed
		const outcome = attempt(() => allowCall({ to, deviceId: undefined, callerId: undefined, note: undefined }, { user, settings, state: known, at, carrierCountries: this.#options.carrierCountries() }, list))
		const used = outcome instanceof SipCallError ? undefined : (await limiter.look(user.id, quotasOf(own))).find((use) => use.used >= use.quota.max)
		const refusal = outcome instanceof SipCallError
			? outcome
			: used === undefined ? undefined : refused(quotaRefusal({ quota: used.quota, retryAfterSec: used.resetSec ?? 1 }, at), at)
		return {
			number,
			refusal,
			callerId: outcome instanceof SipCallError ? undefined : outcome.callerId,
			gateway: refusal === undefined ? this.#options.gateways.inOrder(settings.gateways)[0] : undefined,
			perMinute: number === undefined ? undefined : rateFor(number.e164, settings.rates)?.perMinute,
			confirm: number === undefined || refusal !== undefined ? undefined : confirmationFor({ settings: own, number, facts: known.facts }),
		}
	}
}

function attempt(allow: () => AllowedCall): AllowedCall | SipCallError {
	try {
		return allow()
	} catch (error) {
		if (error instanceof SipCallError) {
			return error
		}
		throw error
	}
}
