// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The way up: what the switch tells -> the call it belongs to -> transition -> one transaction -> the feed. Also the
// way back to the truth when something was missed: it asks the switch for each leg and feeds the answers in here.

import type { Logger } from '../logger.ts'
import type { CallEvent } from './call-events.ts'
import type { CallFeed } from './call-feed.ts'
import type { Transition } from './call-state.ts'
import type { Call, Leg } from './call.ts'
import type { CallStore, CallSwitch, Clock, SwitchNotice } from './ports.ts'

import { transition } from './call-state.ts'
import { isLegLive } from './call.ts'
import { OpenCallIndex } from './open-calls.ts'

export interface CallTrackerOptions {
	store: CallStore
	feed: CallFeed
	callSwitch: CallSwitch
	clock: Clock
	logger: Logger
	/** How often open calls are looked over. */
	sweepMs?: number
}

const SWEEP_MS = 1_000
/** The switch makes a channel within milliseconds of the originate; a directory behind HTTP may take seconds. */
const BIRTH_MS = 10_000
/** The legs of a call end within milliseconds of each other; after this the missing one is asked for. */
const FAREWELL_MS = 2_000
/** An open call of which nothing was heard for this long is asked for. */
const SILENCE_MS = 60_000
/** How often a hang-up that somebody wants is sent again. */
const HANGUP_REPEAT_MS = 1_000
const STORE_RETRY_MS = 200
const STORE_RETRY_LONGEST_MS = 5_000

interface Watched {
	/** Events of one call are applied one after the other. */
	queue: Promise<void>
	heardAt: number
	killedAt: number
	asking: boolean
}

export class CallTracker {
	readonly #options: CallTrackerOptions
	readonly #open = new OpenCallIndex()
	readonly #watched = new Map<string, Watched>()
	#timer: NodeJS.Timeout | undefined
	#stopped = false

	constructor(options: CallTrackerOptions) {
		this.#options = options
	}

	/** Takes up the calls that an earlier process left open, and begins to look after them. */
	async start(): Promise<void> {
		for (const call of await this.#options.store.findOpen()) {
			this.add(call)
		}
		this.#timer = setInterval(() => this.#sweep(), this.#options.sweepMs ?? SWEEP_MS)
	}

	/** Finishes what is being written; leaves every call alone. */
	async stop(): Promise<void> {
		this.#stopped = true
		clearInterval(this.#timer)
		await Promise.allSettled([...this.#watched.values()].map(({ queue }) => queue))
	}

	/** A call was stored: from now on its events are ours. Called before the originate is written. */
	add(call: Call): void {
		this.#open.set(call)
		this.#watched.set(call.uuid, { queue: Promise.resolve(), heardAt: this.#now(), killedAt: 0, asking: false })
	}

	/** An event of the switch. Unknown channels and jobs belong to others and cost nothing. */
	notice(notice: SwitchNotice): void {
		if (notice.type === 'job') {
			const callUuid = this.#open.byLegOrJob(notice.jobUuid)
			if (callUuid !== undefined) {
				void this.apply(callUuid, notice.failure === undefined
					? { type: 'originate_done', at: notice.at }
					: { type: 'originate_failed', at: notice.at, ...notice.failure })
			}
			return
		}
		const callUuid = this.#open.byLegOrJob(notice.report.legUuid)
		if (callUuid !== undefined) {
			void this.apply(callUuid, notice.report)
		} else if (notice.callUuid !== undefined && notice.role !== undefined && this.#open.get(notice.callUuid) !== undefined) {
			this.#adopt(notice.callUuid, notice)
		}
	}

	/**
	 * Applies an event in its turn. Resolves when it is stored (or known to be nothing new) and told.
	 *
	 * @return the call as it is stored then; undefined when it is not open here
	 */
	async apply(callUuid: string, event: CallEvent): Promise<Call | undefined> {
		return this.#enqueue(callUuid, (call) => transition(call, event))
	}

	/** After a (re)connect: every open call is asked for, since nothing is repeated for those who were away. */
	async reconcile(): Promise<void> {
		await Promise.all(this.#open.values().map((call) => this.#ask(call)))
	}

	#now(): number {
		return this.#options.clock.now().getTime()
	}

	/**
	 * The switch gave a leg another uuid than the one we chose (it does when that one is taken): our own variables tell
	 * whose leg it is. The place of the leg that never came to be is taken over.
	 */
	#adopt(callUuid: string, notice: Extract<SwitchNotice, { type: 'leg' }>): void {
		void this.#enqueue(callUuid, (call) => {
			const leg = call.legs.find(({ role, createdAt }) => role === notice.role && createdAt === undefined)
			if (leg === undefined) {
				return { ignored: 'unknown_leg' }
			}
			this.#options.logger.warn('FreeSWITCH gave a leg another uuid than ours', { callUuid })
			return transition({
				...call,
				legs: call.legs.map((other) => other === leg ? { ...leg, uuid: notice.report.legUuid } : other),
			}, notice.report)
		})
	}

	#enqueue(callUuid: string, change: (call: Call) => Transition): Promise<Call | undefined> {
		const watched = this.#watched.get(callUuid)
		if (watched === undefined) {
			return Promise.resolve(undefined)
		}
		watched.heardAt = this.#now()
		const result = watched.queue.then(() => this.#store(callUuid, change))
		watched.queue = result.then(() => {}, () => {})
		return result
	}

	/** An event must not be lost because the database is away for a moment: it is tried until it is stored. */
	async #store(callUuid: string, change: (call: Call) => Transition): Promise<Call | undefined> {
		for (let delayMs = STORE_RETRY_MS; ; delayMs = Math.min(delayMs * 2, STORE_RETRY_LONGEST_MS)) {
			try {
				const stored = await this.#options.store.change(callUuid, change)
				if (stored !== undefined) {
					this.#open.set(stored.call)
				}
				if (stored === undefined || stored.call.status === 'ended') {
					this.#watched.delete(callUuid)
				}
				if (stored?.changed === true) {
					this.#options.feed.publish(stored.call)
				}
				return stored?.call
			} catch (error) {
				if (this.#stopped) {
					throw error
				}
				this.#options.logger.error('A call’s event cannot be stored; trying again', { callUuid, error, retryInMs: delayMs })
				await new Promise((resolve) => {
					setTimeout(resolve, delayMs)
				})
			}
		}
	}

	#sweep(): void {
		if (!this.#options.callSwitch.isReady()) {
			return
		}
		const now = this.#now()
		for (const call of this.#open.values()) {
			const watched = this.#watched.get(call.uuid)
			if (watched === undefined) {
				continue
			}
			if (call.hangupRequestedAt !== undefined && now - watched.killedAt >= HANGUP_REPEAT_MS) {
				void this.hangUp(call)
			}
			if (now - watched.heardAt >= patienceMs(call)) {
				void this.#ask(call)
			}
		}
	}

	/**
	 * Tells the switch to end the call: first the A leg, which takes the B leg along; when that was not enough, every leg
	 * that may be there. Repeated by the sweep until the call has ended.
	 */
	async hangUp(call: Call): Promise<void> {
		const watched = this.#watched.get(call.uuid)
		if (watched === undefined || !this.#options.callSwitch.isReady()) {
			return
		}
		const left = call.legs.filter((leg) => leg.end === undefined && leg.goneAt === undefined)
		const legs = watched.killedAt === 0 ? left.slice(0, 1) : left
		watched.killedAt = this.#now()
		await Promise.all(legs.map((leg) => this.#options.callSwitch.kill(leg.uuid)))
			.catch((error: unknown) => this.#options.logger.warn('A hang-up could not be sent; it is repeated', { callUuid: call.uuid, error }))
	}

	async #ask(call: Call): Promise<void> {
		const watched = this.#watched.get(call.uuid)
		if (watched === undefined || watched.asking) {
			return
		}
		watched.asking = true
		try {
			for (const leg of call.legs.filter((candidate) => candidate.end === undefined && candidate.goneAt === undefined)) {
				await this.#askLeg(call, leg)
			}
		} catch (error) {
			this.#options.logger.warn('A leg could not be asked for; it is repeated', { callUuid: call.uuid, error })
		} finally {
			watched.asking = false
		}
	}

	async #askLeg(call: Call, leg: Leg): Promise<void> {
		const report = await this.#options.callSwitch.look(leg.uuid)
		if (report !== undefined) {
			await this.apply(call.uuid, report)
			return
		}
		// A leg that never was is gone only when it is too late for it to come, and a B leg only when it had been there.
		const isLate = this.#now() - call.createdAt.getTime() >= BIRTH_MS
		if (isLegLive(leg) || (leg.role === 'user' && isLate)) {
			await this.apply(call.uuid, { type: 'leg_gone', legUuid: leg.uuid, at: this.#options.clock.now() })
		}
	}
}

/** How long silence about a call is normal. */
function patienceMs(call: Call): number {
	if (call.legs.some((leg) => leg.end !== undefined || leg.goneAt !== undefined) || call.originateFailure !== undefined) {
		return FAREWELL_MS
	}
	return call.status === 'queued' || call.hangupRequestedAt !== undefined ? BIRTH_MS : SILENCE_MS
}
