// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The way up: what the switch tells -> the call it belongs to -> transition -> one transaction -> the feed. What was
// missed is asked for (leg-inquiry.ts), and the answers come in here as well.

import type { Logger } from '../logger.ts'
import type { CallChange, CallEvent } from './call-events.ts'
import type { CallFeed } from './call-feed.ts'
import type { Call } from './call.ts'
import type { StoredChange } from './change-writer.ts'
import type { BacklogState } from './event-backlog.ts'
import type { Inquiry } from './leg-inquiry.ts'
import type { LegRecord } from './leg-record.ts'
import type { CallStore, CallSwitch, Clock, EventSpool, SwitchNotice } from './ports.ts'

import { Refresher } from '../refresher.ts'
import { isLegLive, isRungAgain } from './call.ts'
import { ChangeWriter } from './change-writer.ts'
import { EarlyNotices } from './early-notices.ts'
import { HandedOverLegs } from './handed-over.ts'
import { isOverdue, isTimeUp, LegInquiry, legsLeft } from './leg-inquiry.ts'
import { OpenCallIndex, RecentCalls } from './open-calls.ts'

export interface CallTrackerOptions {
	store: CallStore
	feed: CallFeed
	callSwitch: CallSwitch
	clock: Clock
	logger: Logger
	/** Where what happens waits while the database is away. */
	spool: EventSpool
	/** Whether this replica hears the switch's events and looks after its calls; left out, it does. */
	isOurs?: (node: string | undefined) => boolean
	/** Whether trying again may help: the database is away, not the event impossible to store. */
	isPassing: (error: unknown) => boolean
	/** Told once of each call that has ended, after that is stored, by the replica that has stored it. */
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
/** What is read then, beside single calls. */
const ALL_OPEN = 'open'

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
	/** Something was missed while its legs were being asked for. */
	isToBeAskedAgain: boolean
}

export class CallTracker {
	readonly #options: CallTrackerOptions
	readonly #open = new OpenCallIndex()
	readonly #recent = new RecentCalls()
	readonly #watched = new Map<string, Watched>()
	readonly #inquiry: LegInquiry
	readonly #early = new EarlyNotices()
	readonly #handedOver: HandedOverLegs
	readonly #writer: ChangeWriter
	/** Calls whose version here may be another than the stored one of this number. */
	readonly #doubted = new Set<string>()
	/** Calls of which another replica has told, by their uuid, and all that are open. */
	readonly #reads: Refresher<string>
	#timer: NodeJS.Timeout | undefined
	#foundOpenAt = 0

	constructor(options: CallTrackerOptions) {
		this.#options = options
		this.#handedOver = new HandedOverLegs(options)
		this.#reads = new Refresher({
			retryMs: options.sweepMs ?? SWEEP_MS,
			onFault: (key, error, failures) => options.logger[key === ALL_OPEN && failures === 1 ? 'warn' : 'debug']('Calls that another server may have changed cannot be read; trying again', { ...(key === ALL_OPEN ? {} : { callUuid: key }), error }),
		})
		this.#writer = new ChangeWriter({
			...options,
			known: (callUuid) => this.#open.get(callUuid),
			onStored: (callUuid, stored) => this.#take(callUuid, stored),
			onPutAside: (call) => {
				this.#know(call)
				options.feed.publish(call)
				this.#endWhoIsRungAgain(call)
			},
			// What the store says counts, also where another replica has stored something in between.
			onAllStored: (callUuids) => callUuids.forEach((callUuid) => {
				this.#doubted.add(callUuid)
				void this.#read(callUuid)
			}),
		})
		this.#inquiry = new LegInquiry({ ...options, apply: (callUuid, event) => this.apply(callUuid, event) })
	}

	/** Takes up the calls that an earlier process left open, and begins to look after them. */
	async start(): Promise<void> {
		await this.recover()
		await this.#findOpen()
		this.#timer = setInterval(() => this.#sweep(), this.#options.sweepMs ?? SWEEP_MS)
	}

	/** Stores what a process that is gone could not store. Nobody has heard what came after that. */
	async recover(): Promise<void> {
		if (await this.#writer.recover() > 0) {
			await this.reconcile()
		}
	}

	/** Finishes what is being written; leaves every call alone. */
	async stop(): Promise<void> {
		clearInterval(this.#timer)
		this.#reads.stop()
		await Promise.allSettled([...this.#watched.values()].map(({ queue }) => queue))
		await this.#writer.stop()
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
			isToBeAskedAgain: false,
			missing: new Map(),
		})
		this.#early.take([call.uuid, call.jobUuid]).forEach((notice) => this.notice(notice))
	}

	/** A call as it is known here, without a query; undefined when it is not open, or not known to be. */
	openCall(callUuid: string): Call | undefined {
		return this.#open.get(callUuid)
	}

	/** A call with all that has happened to it, also what could not be stored yet; undefined when the store knows as much. */
	unstoredCall(callUuid: string): Call | undefined {
		return this.#writer.unstored(callUuid) ?? (this.#writer.isEmpty ? undefined : this.#open.get(callUuid))
	}

	/** What waits for the database. */
	get backlog(): BacklogState {
		return this.#writer.state
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
			this.#take(call.uuid, { call, changed: true, isEnd: false })
		} else {
			this.#options.feed.publish(call)
		}
	}

	/**
	 * Another replica has stored a change. What is known here is read anew where it matters to somebody: to those who follow
	 * the call, and to this replica when it looks after it.
	 */
	async learn(callUuid: string, userId: string, isEnded: boolean): Promise<void> {
		const known = this.#open.get(callUuid)
		const isFollowed = this.#options.feed.isFollowed(callUuid, userId)
		// A hang-up must be possible here as well, whatever is away: for that it is enough to know the legs.
		if (!isFollowed && (isEnded ? known === undefined : known !== undefined && !this.#isOurs(known.node))) {
			return
		}
		await this.#read(callUuid)
	}

	/** An event of the switch. Unknown channels and jobs belong to others and cost nothing. */
	notice(notice: SwitchNotice): void {
		if (notice.type === 'leg') {
			this.#noticeLeg(notice)
			return
		}
		const callUuid = this.#open.byLegOrJob(notice.jobUuid)
		if (callUuid === undefined) {
			this.#early.keep(notice.jobUuid, notice, performance.now())
		} else {
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
		return this.#enqueue({ callUuid, event })
	}

	/** The same for an end that is told late, or once more. */
	async record(callUuid: string, { report, role }: LegRecord): Promise<Call | undefined> {
		const change: CallChange = { callUuid, event: report, isRecord: true, ...(role === undefined ? {} : { role }) }
		// Of a call whose end waits for the database it waits behind that.
		return this.#watched.has(callUuid) || this.#writer.isEmpty ? this.#enqueue(change) : this.#writer.putAside(change)
	}

	/**
	 * After a (re)connect of the switch: every open call is asked for, since nothing is repeated for those who were away. They
	 * are read first: another replica may have looked after them, and knows of legs that are not known here.
	 */
	async reconcile(): Promise<void> {
		await this.#readOpen()
		await Promise.all(this.#open.values().map((call) => this.#askNow(call.uuid)))
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
		const isFirst = watched.killedAt === undefined
		const legs = isFirst && ofUser.length > 0 ? ofUser : left
		watched.killedAt = performance.now()
		for (const leg of legs) {
			// What has to be repeated goes to every node: another one may have taken the call over.
			this.#kill(callUuid, leg.uuid, isFirst ? call.node : undefined)
		}
	}

	#noticeLeg(notice: LegNotice): void {
		const { report, role } = notice
		const callUuid = this.#open.byLegOrJob(report.legUuid)
			?? (notice.callUuid === undefined ? undefined : this.#open.get(notice.callUuid)?.uuid)
		if (callUuid === undefined) {
			if (report.end !== undefined) {
				this.#handedOver.ended(report.legUuid)
				if (notice.callUuid !== undefined && this.#recent.has(notice.callUuid)) {
					this.#endLate(notice.callUuid, notice)
				}
			}
			if (report.end === undefined && (this.#recent.has(report.legUuid) || this.#recent.has(notice.callUuid))) {
				this.#options.logger.warn('A leg of a call that is over appeared; it is hung up', { callUuid: notice.callUuid, legUuid: report.legUuid })
				this.#kill(notice.callUuid, report.legUuid, report.node)
			} else if (notice.callUuid !== undefined && !this.#recent.has(notice.callUuid)) {
				this.#early.keep(notice.callUuid, notice, performance.now())
			}
			return
		}
		// Whether we know the leg is decided in its turn: an event before this one may have brought it.
		void this.#enqueue({ callUuid, event: report, ...(role === undefined ? {} : { role }) })
	}

	#kill(callUuid: string | undefined, legUuid: string, node?: string): void {
		this.#options.callSwitch.kill(legUuid, node)
			.catch((error: unknown) => this.#options.logger.warn('A hang-up could not be sent; it is repeated', { callUuid, error }))
	}

	#enqueue(change: CallChange): Promise<Call | undefined> {
		const watched = this.#watched.get(change.callUuid)
		if (watched === undefined) {
			return Promise.resolve(undefined)
		}
		watched.heardAt = performance.now()
		const result = watched.queue.then(() => this.#writer.write(change))
		watched.queue = result.then(() => {})
		return result
	}

	/** The end of a leg whose call is over: it may be one that was guessed. */
	#endLate(callUuid: string, notice: LegNotice): void {
		if (this.#writer.isEmpty) {
			this.#options.onLateEnd(notice)
		} else {
			const { report, role } = notice
			void this.#writer.putAside({ callUuid, event: report, isRecord: true, ...(role === undefined ? {} : { role }) })
		}
	}

	/** What is stored becomes what is known, and is told. */
	#take(callUuid: string, stored: StoredChange | undefined): void {
		const known = this.#open.get(callUuid)
		if (stored === undefined) {
			this.#drop(callUuid, known)
			return
		}
		const { call, changed, isEnd } = stored
		// Also where an attempt that was given up as too slow has stored it after all; told once, so what waits is not asked again.
		if (isEnd || (call.status === 'ended' && (known !== undefined || this.#writer.unstored(callUuid) !== undefined))) {
			this.#writer.forget(callUuid)
			this.#options.onEnded(call)
		}
		// More has happened than was stored now; it is told already.
		if ((this.#writer.unstored(callUuid)?.version ?? 0) > call.version) {
			return
		}
		// Another replica has stored more meanwhile, or the end.
		if (call.status !== 'ended' && (known?.version ?? Infinity) > call.version) {
			return
		}
		this.#know(call)
		// A commit whose answer was lost has happened as well: its repetition changes nothing, but nobody was told.
		if (changed || (known !== undefined && call.version > known.version)) {
			this.#options.feed.publish(call)
		}
		this.#endWhoIsRungAgain(call)
	}

	/** Another replica has stored it, and has done what is to be done. */
	#learned(call: Call): void {
		const known = this.#open.get(call.uuid)
		const isDoubted = this.#doubted.delete(call.uuid)
		if (known !== undefined && known.version >= call.version && call.status !== 'ended' && !isDoubted) {
			return
		}
		if (known !== undefined) {
			this.#know(call)
		} else if (call.status !== 'ended') {
			this.add(call, this.#ageMs(call))
		}
		this.#options.feed.publish(call)
		const watched = this.#watched.get(call.uuid)
		if (call.hangupRequestedAt !== undefined && watched?.isHangupWanted === false) {
			this.hangUp(call.uuid)
		}
		// Whoever heard of this leg has not told it before now, and what became of it meanwhile was told to nobody here.
		if (this.#isOurs(call.node) && legsLeft(call).some((leg) => isLegLive(leg) && known?.legs.some((before) => before.uuid === leg.uuid && isLegLive(before)) !== true)) {
			void this.#askNow(call.uuid)
		}
	}

	#read(callUuid: string): Promise<void> {
		return this.#reads.refresh(callUuid, async () => {
			const call = await this.#options.store.find(callUuid)
			if (call !== undefined) {
				this.#learned(call)
			}
		})
	}

	#readOpen(): Promise<void> {
		return this.#reads.refresh(ALL_OPEN, () => this.#findOpen())
	}

	#know(call: Call): void {
		this.#open.set(call)
		if (call.status === 'ended') {
			this.#watched.delete(call.uuid)
			this.#recent.add(call, performance.now())
			this.#handedOver.add(call, performance.now())
		}
	}

	/** The switch is on its way to the next gateway: it tells one refusal from another no better than by their cause. */
	#endWhoIsRungAgain(call: Call): void {
		if (call.status !== 'ended' && isRungAgain(call) && this.#watched.get(call.uuid)?.isHangupWanted === false) {
			this.hangUp(call.uuid)
		}
	}

	#isOurs(node: string | undefined): boolean {
		return this.#options.isOurs?.(node) ?? true
	}

	/** Somebody erased the call while it was open: what nobody can account for any more is ended. */
	#drop(callUuid: string, known: Call | undefined): void {
		this.#open.delete(callUuid)
		this.#watched.delete(callUuid)
		if (known !== undefined) {
			this.#options.logger.warn('An open call is not stored any more; it is hung up', { callUuid })
			this.#recent.add(known, performance.now())
			for (const leg of legsLeft(known)) {
				this.#kill(callUuid, leg.uuid, known.node)
			}
		}
	}

	/** A call is open and not known here when its row was committed and the answer lost, or another process left it. */
	async #findOpen(): Promise<void> {
		const began = performance.now()
		this.#foundOpenAt = began
		for (const call of await this.#options.store.findOpen()) {
			if (this.#open.get(call.uuid) !== undefined) {
				this.#learned(call)
			} else if (!this.#recent.has(call.uuid)) {
				this.add(call, this.#ageMs(call))
			}
		}
		await this.#handedOver.load(began)
	}

	#ageMs(call: Call): number {
		return Math.max(0, this.#options.clock.now().getTime() - call.createdAt.getTime())
	}

	#sweep(): void {
		const now = performance.now()
		this.#recent.forgetOld(now)
		this.#early.forgetOld(now)
		if (now - this.#foundOpenAt >= FIND_OPEN_MS) {
			void this.#readOpen()
		}
		this.#giveUpLost(now)
		if (!this.#options.callSwitch.isReady()) {
			return
		}
		this.#handedOver.ask(now, (node) => this.#isOurs(node))
		for (const call of this.#open.values()) {
			const watched = this.#watched.get(call.uuid)
			if (watched === undefined) {
				continue
			}
			if (watched.isHangupWanted && now - (watched.killedAt ?? 0) >= HANGUP_REPEAT_MS) {
				this.hangUp(call.uuid)
			}
			if (this.#isOurs(call.node) && isOverdue(call, watched, watched.heardAt, watched.isHangupWanted, now)) {
				void this.#ask(call.uuid)
			}
		}
	}

	/** A call whose node stays away must not be open for ever. */
	#giveUpLost(now: number): void {
		for (const call of this.#open.values()) {
			const watched = this.#watched.get(call.uuid)
			if (watched !== undefined && isTimeUp(call, watched, now) && !this.#options.callSwitch.isReady(call.node)) {
				void this.#inquiry.giveUp(call, watched)
			}
		}
	}

	/** The answer to a question that is under way may be older than what was missed: then it is asked once more after that. */
	async #askNow(callUuid: string): Promise<void> {
		const watched = this.#watched.get(callUuid)
		if (watched?.isAsking === true) {
			watched.isToBeAskedAgain = true
		} else {
			await this.#ask(callUuid)
		}
	}

	async #ask(callUuid: string): Promise<void> {
		const [call, watched] = [this.#open.get(callUuid), this.#watched.get(callUuid)]
		if (call === undefined || watched === undefined || watched.isAsking) {
			return
		}
		await this.#inquiry.ask(call, watched)
		if (watched.isToBeAskedAgain) {
			watched.isToBeAskedAgain = false
			await this.#ask(callUuid)
		}
	}
}
