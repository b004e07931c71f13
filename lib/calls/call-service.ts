// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The way down: what a user wants -> policy -> stored -> written to the switch, once.

import type { Logger } from '../logger.ts'
import type { Settings } from '../policy/settings.ts'
import type { CallFeed } from './call-feed.ts'
import type { CallingUser, CallWish } from './call-rules.ts'
import type { CallTracker } from './call-tracker.ts'
import type { Call, HangupBy } from './call.ts'
import type { Device } from './device.ts'
import type { GatewayWatch } from './gateway-watch.ts'
import type { Lockout } from './lockout.ts'
import type { CallCounters, CallLimiter, CallStore, CallSwitch, Clock, OriginatePlan, Slot } from './ports.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'
import { settingsFor } from '../policy/user-rule.ts'
import { admitCall, allowCall, factsFor } from './call-rules.ts'
import { dialInTurn, FRESH_MS, isStillWanted } from './dialling.ts'
import { newCall, planOf } from './originate-plan.ts'
import { OriginateRefused } from './ports.ts'

export interface CallServiceOptions {
	store: CallStore
	tracker: CallTracker
	feed: CallFeed
	callSwitch: CallSwitch
	gateways: Pick<GatewayWatch, 'hasAny' | 'inOrder' | 'need'>
	limiter: CallLimiter
	/** Counts what is refused. */
	lockout: Lockout
	settings: () => Settings
	/** Whether no other server works on the same database. */
	isAlone: () => boolean
	devices: (userId: string) => Promise<Device[]>
	/** Whether the company behind the trunk says what calls have cost. */
	awaitsCost: () => boolean
	/** ISO countries that the company behind the trunk lets through; undefined = not known. */
	carrierCountries: () => readonly string[] | undefined
	clock: Clock
	newUuid: () => string
	counters: CallCounters
	logger: Logger
}

/** How long the answer to a hang-up waits until the wish is stored, in the database or on the disk. */
const HANGUP_STORE_MS = 2_000
/** How long it waits until a call that nobody has dialled yet is dialled, or never will be: longer than FRESH_MS. */
const UNDIALLED_MS = 1_000
/** How long the hang-up itself waits for that. */
const WISH_STORE_MS = 300

export class CallService {
	readonly #options: CallServiceOptions
	/** Calls whose originate is not written yet, and how they are given up. */
	readonly #undialled = new Map<string, { giveUp: AbortController, done: Promise<void> }>()
	#isClosing = false

	constructor(options: CallServiceOptions) {
		this.#options = options
	}

	/**
	 * Places a call, or finds the one that the same key already placed: at most one originate for each key, whatever
	 * happens. Resolves when the row is committed and the originate is on its way.
	 *
	 * @param bodyHash of everything that was asked for
	 * @throws {SipCallError} the refusals of the contract, section 3
	 */
	async place(user: CallingUser, wish: CallWish, idempotencyKey: string | undefined, bodyHash: string): Promise<Call> {
		const { store, tracker, clock, lockout, counters, gateways } = this.#options
		if (this.#isClosing) {
			throw new SipCallError('shutting_down', 'SIPCall is restarting, so nothing was dialled. Try again in a few seconds.', { retryAfterSec: 5 })
		}
		const began = performance.now()
		// Read before: while a call is being placed nobody else can place one, so nothing is waited for in there.
		const ofAll = this.#options.settings()
		const devices = await this.#options.devices(user.id)
		const at = clock.now()
		const request = { userId: user.id, idempotencyKey, bodyHash, at, question: factsFor(user, wish.to, ofAll, at) }
		let plan: OriginatePlan | undefined
		let slot: Slot | undefined
		const placed = store.place(request, async (state) => {
			const allowed = allowCall(wish, { user, settings: ofAll, state, at, carrierCountries: this.#options.carrierCountries() }, devices)
			const own = settingsFor(ofAll, state.rule)
			slot = await admitCall(user, own, this.#options.callSwitch, gateways, this.#options.limiter, at)
			const settings = { ...own, gateways: gateways.inOrder(own.gateways, slot.node) }
			const made = newCall({ userId: user.id, rawTo: wish.to, note: wish.note, at: clock.now() }, allowed, settings, slot.node, this.#options.newUuid, this.#options.awaitsCost())
			plan = planOf(made, allowed.device, settings)
			return made
		})
		const { call, isNew } = await placed.catch(async (error: unknown) => {
			slot?.release()
			await lockout.note(user, wish.to, error)
			throw error
		})
		counters.placed(isNew)
		if (!isNew || plan === undefined || slot === undefined) {
			slot?.release()
			return call
		}
		tracker.add(call)
		this.#dial(plan, slot, began)
		return call
	}

	/** From now on nobody places a call here: this server is about to stop. */
	close(): void {
		this.#isClosing = true
	}

	/**
	 * Makes a call end. From the moment this resolves the server works at it until both legs are gone.
	 *
	 * @throws {SipCallError} `not_found`
	 */
	async hangUp(user: CallingUser, callUuid: string): Promise<Call> {
		// What is open is known here: a call must end also while the database is away.
		const open = this.#options.tracker.openCall(callUuid)
		return this.#end(open?.userId === user.id ? open : await this.find(user, callUuid), 'user')
	}

	/**
	 * Makes a call of anybody end, as an administrator.
	 *
	 * @throws {SipCallError} `not_found`
	 */
	async endAsAdmin(callUuid: string): Promise<Call> {
		const call = this.#options.tracker.openCall(callUuid) ?? await this.#options.store.find(callUuid)
		if (call === undefined) {
			throw notFound()
		}
		return this.#end(call, 'admin')
	}

	async #end(call: Call, by: 'user' | 'admin'): Promise<Call> {
		const { tracker, store, feed } = this.#options
		if (call.status === 'ended') {
			return call
		}
		tracker.add(call)
		const { promise: decided, resolve } = Promise.withResolvers<Call>()
		const unsubscribe = feed.subscribe(call.uuid, (now) => now.status !== 'queued' && resolve(now))
		try {
			const known = await Promise.race([this.#want(call.uuid, by), delay(HANGUP_STORE_MS, undefined, { ref: false })])
				?? tracker.openCall(call.uuid)
				?? await store.find(call.uuid)
			if (known === undefined) {
				throw notFound()
			}
			// Another server may be about to dial it: that one says which of the two came first.
			return known.status === 'queued' ? await Promise.race([decided, delay(UNDIALLED_MS, known, { ref: false })]) : known
		} finally {
			unsubscribe()
		}
	}

	/**
	 * Somebody wants a call to end. That is stored before the switch is told: else another replica might store the legs' ends
	 * first, and nobody would know who had wanted them. A database that is slow keeps nobody on the phone.
	 */
	#want(callUuid: string, by: HangupBy): Promise<Call | undefined> {
		const { tracker, clock } = this.#options
		const stored = tracker.apply(callUuid, { type: 'hangup_requested', at: clock.now(), by })
		this.#undialled.get(callUuid)?.giveUp.abort()
		void Promise.race([stored, delay(WISH_STORE_MS, undefined, { ref: false })]).then(() => tracker.hangUp(callUuid))
		return stored
	}

	/**
	 * Makes those of the open calls end, and waits for it.
	 *
	 * @param limitMs at most this long; the server keeps at it afterwards
	 */
	async endAll(isMeant: (call: Call) => boolean, limitMs: number): Promise<void> {
		const { tracker, feed } = this.#options
		const ends = tracker.openCalls().filter(isMeant).map(async ({ uuid }) => {
			const { promise, resolve } = Promise.withResolvers<void>()
			const unsubscribe = feed.subscribe(uuid, ({ status }) => status === 'ended' && resolve())
			await this.#want(uuid, 'system')
			await Promise.race([promise, delay(limitMs, undefined, { ref: false })])
			unsubscribe()
		})
		await Promise.all(ends)
	}

	/**
	 * A call of this user.
	 *
	 * @throws {SipCallError} `not_found`, also for a call of somebody else: its existence is not revealed
	 */
	async find(user: CallingUser, callUuid: string): Promise<Call> {
		const call = await this.#read(callUuid)
		if (call === undefined || call.userId !== user.id) {
			throw notFound()
		}
		return call
	}

	/** While the database is away, what is known here of an open call serves: it is controllable, and so it can be seen. */
	async #read(callUuid: string): Promise<Call | undefined> {
		const { store, tracker } = this.#options
		return tracker.unstoredCall(callUuid) ?? await store.find(callUuid).catch((error: unknown) => {
			const known = tracker.unstoredCall(callUuid) ?? tracker.openCall(callUuid)
			if (known === undefined) {
				throw error
			}
			return known
		})
	}

	/**
	 * Waits until a call's version is above the given one.
	 *
	 * @param waitMs at most this long; then the call is answered as it is
	 * @param signal ends the waiting early
	 */
	async waitForChange(user: CallingUser, callUuid: string, version: number, waitMs: number, signal: AbortSignal): Promise<Call> {
		const { promise, resolve } = Promise.withResolvers<Call | undefined>()
		// Subscribed before reading, so that no change falls between.
		const unsubscribe = this.#options.feed.subscribe(callUuid, (call) => {
			if (call.version > version) {
				resolve(call)
			}
		})
		const giveUp = () => resolve(undefined)
		const timer = setTimeout(giveUp, waitMs)
		signal.addEventListener('abort', giveUp)
		try {
			const call = await this.find(user, callUuid)
			if (call.version > version || call.status === 'ended') {
				return call
			}
			return await promise ?? call
		} finally {
			clearTimeout(timer)
			signal.removeEventListener('abort', giveUp)
			unsubscribe()
		}
	}

	/**
	 * Resolves when whatever waits for its turn has been written.
	 *
	 * @param limitMs at most this long
	 */
	async settled(limitMs: number): Promise<void> {
		await Promise.race([Promise.all([...this.#undialled.values()].map(({ done }) => done)), delay(limitMs, undefined, { ref: false })])
	}

	/** A hang-up wins also over an originate that waits: here at once, and wherever else it was asked for when that is stored. */
	#dial(plan: OriginatePlan, slot: Slot, began: number): void {
		const { callUuid } = plan
		const giveUp = new AbortController()
		const unsubscribe = this.#options.feed.subscribe(callUuid, ({ hangupRequestedAt }) => hangupRequestedAt !== undefined && giveUp.abort())
		const done = this.#originate(plan, slot, giveUp.signal, began).finally(() => {
			unsubscribe()
			this.#undialled.delete(callUuid)
		})
		this.#undialled.set(callUuid, { giveUp, done })
	}

	/** Written once. Whatever goes wrong is told as an event of the call, never tried again. */
	async #originate(plan: OriginatePlan, slot: Slot, signal: AbortSignal, began: number): Promise<void> {
		const { callSwitch, store, isAlone } = this.#options
		// Where it took so long to get here, somebody has had the time to find it in the history and to hang up.
		const isLate = performance.now() - began > FRESH_MS
		try {
			await dialInTurn(slot, { callSwitch, signal, isWanted: () => isStillWanted(() => store.find(plan.callUuid), isAlone), isLate }, (node) => callSwitch.originate(plan, node))
			this.#options.counters.originated((performance.now() - began) / 1000)
		} catch (error) {
			if (error instanceof OriginateRefused) {
				await this.#options.tracker.apply(plan.callUuid, { type: 'originate_failed', at: this.#options.clock.now(), ...error.failure })
				return
			}
			// Nobody knows whether the switch has it: its events or its answers about the legs will tell.
			this.#options.logger.warn('The switch did not confirm an originate; its legs will be asked for', { callUuid: plan.callUuid, error })
		}
	}
}

function notFound(): SipCallError {
	return new SipCallError('not_found', 'There is no such call.')
}
