// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The way up: what the switch tells -> the call it belongs to -> transition -> one transaction -> the feed. What was
// missed is asked for (leg-inquiry.ts), and the answers come in here as well.

import type { Logger } from '../logger.ts'
import type { CallEvent } from './call-events.ts'
import type { CallFeed } from './call-feed.ts'
import type { Transition } from './call-state.ts'
import type { Call } from './call.ts'
import type { Inquiry } from './leg-inquiry.ts'
import type { CallStore, CallSwitch, Clock, SwitchNotice } from './ports.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { transition } from './call-state.ts'
import { isRungAgain } from './call.ts'
import { HandedOverLegs } from './handed-over.ts'
import { isOverdue, LegInquiry, legsLeft } from './leg-inquiry.ts'
import { applyNotice } from './leg-record.ts'
import { OpenCallIndex, RecentCalls } from './open-calls.ts'

export interface CallTrackerOptions {
	store: CallStore
	feed: CallFeed
	callSwitch: CallSwitch
	clock: Clock
	logger: Logger
	/** Whether trying again may help: the database is away, not the event impossible to store. */
	isPassing: (error: unknown) => boolean
	/** Told once of each call that has ended, after that is stored. */
	onEnded: (call: Call) => void
	/** Told of a leg's end that comes after its call was over. */
	onLateEnd: (notice: LegNotice) => void
	/** How often open calls are looked over. */
	sweepMs?: number
}

const SWEEP_MS = 1_000
/** How often a hang-up that somebody wants is sent again. */
const HANGUP_REPEAT_MS = 1_000
/** How often calls are looked for that are open in the database and not here. */
const FIND_OPEN_MS = 15_000
const STORE_RETRY_MS = 200
const STORE_RETRY_LONGEST_MS = 5_000

type LegNotice = Extract<SwitchNotice, { type: 'leg' }>

/** Times are monotonic milliseconds: a clock that is set must neither end a call nor keep one. */
interface Watched extends Inquiry {
	/** Events of one call are applied one after the other. */
	queue: Promise<void>
	heardAt: number
	/** When the wish to end the call was last sent. */
	killedAt: number | undefined
	/** Somebody wants it, or the person called has declined. */
	isHangupWanted: boolean
}

export class CallTracker {
	readonly #options: CallTrackerOptions
	readonly #open = new OpenCallIndex()
	readonly #recent = new RecentCalls()
	readonly #watched = new Map<string, Watched>()
	readonly #inquiry: LegInquiry
	/** Transferred people who still talk. */
	readonly handedOver = new HandedOverLegs()
	#timer: NodeJS.Timeout | undefined
	#foundOpenAt = 0
	#stopped = false

	constructor(options: CallTrackerOptions) {
		this.#options = options
		this.#inquiry = new LegInquiry({ ...options, apply: (callUuid, event) => this.apply(callUuid, event) })
	}

	/** Takes up the calls that an earlier process left open, and begins to look after them. */
	async start(): Promise<void> {
		await this.#findOpen()
		this.#timer = setInterval(() => this.#sweep(), this.#options.sweepMs ?? SWEEP_MS)
	}

	/** Finishes what is being written; leaves every call alone. */
	async stop(): Promise<void> {
		this.#stopped = true
		clearInterval(this.#timer)
		await Promise.allSettled([...this.#watched.values()].map(({ queue }) => queue))
	}

	/**
	 * A call was stored: from now on its events are ours. Called before the originate is written.
	 *
	 * @param ageMs how long ago its originate may have been written
	 */
	add(call: Call, ageMs = 0): void {
		if (this.#watched.has(call.uuid) || call.status === 'ended') {
			return
		}
		const now = performance.now()
		this.#open.set(call)
		this.#watched.set(call.uuid, {
			queue: Promise.resolve(),
			bornAt: now - ageMs,
			heardAt: now,
			killedAt: undefined,
			isHangupWanted: call.hangupRequestedAt !== undefined || isRungAgain(call),
			isAsking: false,
			missing: new Map(),
		})
	}

	/** A call as it is known here, without a query; undefined when it is not open, or not known to be. */
	openCall(callUuid: string): Call | undefined {
		return this.#open.get(callUuid)
	}

	/** The open call to which a leg belongs. */
	callOfLeg(legUuid: string): string | undefined {
		return this.#open.byLegOrJob(legUuid)
	}

	/** The open calls, as far as they are known here. */
	openCalls(): Call[] {
		return this.#open.values()
	}

	/** Somebody else has stored a change: it becomes what is known, and is told. */
	take(call: Call): void {
		if ((this.#open.get(call.uuid)?.version ?? Infinity) < call.version) {
			this.#take(call.uuid, { call, changed: true })
		} else {
			this.#options.feed.publish(call)
		}
	}

	/** An event of the switch. Unknown channels and jobs belong to others and cost nothing. */
	notice(notice: SwitchNotice): void {
		if (notice.type === 'leg') {
			this.#noticeLeg(notice)
			return
		}
		const callUuid = this.#open.byLegOrJob(notice.jobUuid)
		if (callUuid !== undefined) {
			void this.apply(callUuid, notice.failure === undefined
				? { type: 'originate_done', at: notice.at }
				: { type: 'originate_failed', at: notice.at, ...notice.failure })
		}
	}

	/**
	 * Applies an event in its turn. Resolves when it is stored (or known to be nothing new) and told; never rejects.
	 *
	 * @return the call as it is stored then; undefined when it is not open here or the event cannot be stored
	 */
	async apply(callUuid: string, event: CallEvent): Promise<Call | undefined> {
		return this.applyWith(callUuid, (call) => transition(call, event))
	}

	/** The same for a change that is more than an event. */
	async applyWith(callUuid: string, change: (call: Call) => Transition): Promise<Call | undefined> {
		return this.#enqueue(callUuid, change)
	}

	/** After a (re)connect: every open call is asked for, since nothing is repeated for those who were away. */
	async reconcile(): Promise<void> {
		await Promise.all(this.#open.values().map((call) => this.#ask(call.uuid)))
	}

	/**
	 * Makes the switch end an open call: first the A leg, which takes the B leg along; when that was not enough, every leg
	 * that may be there. Repeated by the sweep until the call has ended, whether or not the wish could be stored.
	 */
	hangUp(callUuid: string): void {
		const [call, watched] = [this.#open.get(callUuid), this.#watched.get(callUuid)]
		if (call === undefined || watched === undefined) {
			return
		}
		watched.isHangupWanted = true
		if (!this.#options.callSwitch.isReady()) {
			return
		}
		const left = legsLeft(call)
		const ofUser = left.filter(({ role }) => role === 'user')
		const legs = watched.killedAt === undefined && ofUser.length > 0 ? ofUser : left
		watched.killedAt = performance.now()
		for (const leg of legs) {
			this.#kill(callUuid, leg.uuid)
		}
	}

	#noticeLeg(notice: LegNotice): void {
		const { report } = notice
		const callUuid = this.#open.byLegOrJob(report.legUuid)
			?? (notice.callUuid === undefined ? undefined : this.#open.get(notice.callUuid)?.uuid)
		if (callUuid === undefined) {
			if (report.end !== undefined) {
				this.handedOver.ended(report.legUuid)
				if (this.#recent.has(notice.callUuid)) {
					this.#options.onLateEnd(notice)
				}
			}
			if (report.end === undefined && (this.#recent.has(report.legUuid) || this.#recent.has(notice.callUuid))) {
				this.#options.logger.warn('A leg of a call that is over appeared; it is hung up', { callUuid: notice.callUuid, legUuid: report.legUuid })
				this.#kill(notice.callUuid, report.legUuid)
			}
			return
		}
		// Whether we know the leg is decided in its turn: an event before this one may have brought it.
		void this.#enqueue(callUuid, (call) => applyNotice(call, notice))
	}

	#kill(callUuid: string | undefined, legUuid: string): void {
		this.#options.callSwitch.kill(legUuid)
			.catch((error: unknown) => this.#options.logger.warn('A hang-up could not be sent; it is repeated', { callUuid, error }))
	}

	#enqueue(callUuid: string, change: (call: Call) => Transition): Promise<Call | undefined> {
		const watched = this.#watched.get(callUuid)
		if (watched === undefined) {
			return Promise.resolve(undefined)
		}
		watched.heardAt = performance.now()
		const result = watched.queue.then(() => this.#store(callUuid, change))
		watched.queue = result.then(() => {})
		return result
	}

	/** An event must not be lost because the database is away for a moment: it is tried until it is stored. */
	async #store(callUuid: string, change: (call: Call) => Transition): Promise<Call | undefined> {
		for (let delayMs = STORE_RETRY_MS; ; delayMs = Math.min(delayMs * 2, STORE_RETRY_LONGEST_MS)) {
			try {
				const stored = await this.#options.store.change(callUuid, change)
				this.#take(callUuid, stored)
				return stored?.call
			} catch (error) {
				if (!this.#options.isPassing(error)) {
					this.#options.logger.error('A call’s event cannot be stored and is left out', { callUuid, error })
					return undefined
				}
				if (this.#stopped) {
					this.#options.logger.warn('Stopped before a call’s event could be stored; the switch is asked after the start', { callUuid })
					return undefined
				}
				this.#options.logger.error('A call’s event cannot be stored; trying again', { callUuid, error, retryInMs: delayMs })
				await delay(delayMs)
			}
		}
	}

	/** What is stored becomes what is known, and is told. */
	#take(callUuid: string, stored: { call: Call, changed: boolean } | undefined): void {
		const known = this.#open.get(callUuid)
		if (stored === undefined) {
			this.#drop(callUuid, known)
			return
		}
		this.#open.set(stored.call)
		if (stored.call.status === 'ended') {
			this.#watched.delete(callUuid)
			this.#recent.add(stored.call, performance.now())
			this.handedOver.add(stored.call, performance.now())
			if (known !== undefined) {
				this.#options.onEnded(stored.call)
			}
		}
		// A commit whose answer was lost has happened as well: its repetition changes nothing, but nobody was told.
		if (stored.changed || (known !== undefined && stored.call.version > known.version)) {
			this.#options.feed.publish(stored.call)
		}
		if (stored.call.status !== 'ended' && isRungAgain(stored.call) && this.#watched.get(callUuid)?.isHangupWanted === false) {
			// The switch is on its way to the next gateway: it tells one refusal from another no better than by their cause.
			this.hangUp(callUuid)
		}
	}

	/** Somebody erased the call while it was open: what nobody can account for any more is ended. */
	#drop(callUuid: string, known: Call | undefined): void {
		this.#open.delete(callUuid)
		this.#watched.delete(callUuid)
		if (known !== undefined) {
			this.#options.logger.warn('An open call is not stored any more; it is hung up', { callUuid })
			this.#recent.add(known, performance.now())
			for (const leg of legsLeft(known)) {
				this.#kill(callUuid, leg.uuid)
			}
		}
	}

	/** A call is open and not known here when its row was committed and the answer lost, or another process left it. */
	async #findOpen(): Promise<void> {
		this.#foundOpenAt = performance.now()
		for (const call of await this.#options.store.findOpen()) {
			if (!this.#recent.has(call.uuid)) {
				this.add(call, Math.max(0, this.#options.clock.now().getTime() - call.createdAt.getTime()))
			}
		}
	}

	#sweep(): void {
		const now = performance.now()
		this.#recent.forgetOld(now)
		if (now - this.#foundOpenAt >= FIND_OPEN_MS) {
			this.#findOpen().catch((error: unknown) => this.#options.logger.warn('The open calls cannot be read; trying again', { error }))
		}
		if (!this.#options.callSwitch.isReady()) {
			return
		}
		this.handedOver.ask(this.#options.callSwitch, now).catch((error: unknown) => this.#options.logger.warn('A transferred leg could not be asked for; it is repeated', { error }))
		for (const call of this.#open.values()) {
			const watched = this.#watched.get(call.uuid)
			if (watched === undefined) {
				continue
			}
			if (watched.isHangupWanted && now - (watched.killedAt ?? 0) >= HANGUP_REPEAT_MS) {
				this.hangUp(call.uuid)
			}
			if (isOverdue(call, watched, watched.heardAt, watched.isHangupWanted, now)) {
				void this.#ask(call.uuid)
			}
		}
	}

	async #ask(callUuid: string): Promise<void> {
		const [call, watched] = [this.#open.get(callUuid), this.#watched.get(callUuid)]
		if (call !== undefined && watched !== undefined) {
			await this.#inquiry.ask(call, watched)
		}
	}
}
