// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** One life of the switch: its clock, its channels, its events. A restart makes a new one. */

import type { Headers, SwitchEvent } from './event.ts'
import type { Ending, Leg } from './leg.ts'
import type { Pace } from './stories.ts'

import { randomUUID } from 'node:crypto'
import { setFarewell, setFinalVariables, stamp } from './billing.ts'
import { channelHeaders } from './channel-headers.ts'
import { Clock } from './clock.ts'
import { SOURCES } from './templates.ts'
import { onHangUp } from './variables.ts'

/** The place of BACKGROUND_JOB among the events of its originate. It is random on a real switch. */
export type JobPlace = 'before-answer-events' | 'after-answer' | 'after-ring-wait' | 'after-b-create' | 'last'

/** What FreeSWITCH tells of a gateway beside whether it is up. */
export interface GatewayLook {
	/** `REGED`, `FAIL_WAIT` … */
	registration?: string
	/** Seconds between two OPTIONS; 0 = none. */
	pingSec?: number
}

export interface CoreOptions {
	pace: Pace
	speed: number
	sessionsPerSecond: number | undefined
	maxSessions: number | undefined
	legOrder: 'a-first' | 'b-first'
	jobPlace: JobPlace
	/** The configured gateways; undefined lets every name pass. */
	gateways: Map<string, 'UP' | 'DOWN'> | undefined
	/** What is not as in the recording: NOREG, without ping. */
	gatewayLooks: Readonly<Record<string, GatewayLook>>
	/** Takes what somebody at a leg counts who is played beeps: one text for each repetition. */
	hear: (leg: Leg, texts: readonly string[]) => void
	/** Takes the record of each channel that has ended. */
	record: (leg: Leg) => void
	/** Takes each event as it happens. */
	publish: (event: SwitchEvent) => void
}

const NUMBER_OF_CALL_STATE: Readonly<Record<string, number>> = { DOWN: 0, DIALING: 1, RINGING: 2, EARLY: 3, ACTIVE: 4, HELD: 5, RING_WAIT: 6, HANGUP: 7, UNHELD: 8 }

export class Core {
	readonly uuid = randomUUID()
	readonly clock: Clock
	readonly options: CoreOptions
	readonly legs = new Map<string, Leg>()
	/** After `fsctl pause`: no new channels. */
	isPaused = false
	sessionsSinceStart = 0
	peak = 0
	/** When the latest channels were created, for the limit of sessions per second. */
	readonly #created: number[] = []
	#sequence = 0
	#stopped = false

	constructor(options: CoreOptions) {
		this.options = options
		this.clock = new Clock(options.speed)
	}

	/** Fires an event; after `stop` nothing is heard any more. */
	fire(name: string, headers: Headers, body?: string, subclass?: string): void {
		if (this.#stopped) {
			return
		}
		this.options.publish(this.event(name, headers, body, subclass))
	}

	/** Builds an event with the common headers; each one takes a number. */
	event(name: string, headers: Headers, body?: string, subclass?: string): SwitchEvent {
		const now = this.clock.now()
		const date = new Date(now / 1000)
		const common: Headers = [
			...(subclass === undefined ? [] : [['Event-Subclass', subclass]] satisfies Headers),
			['Event-Name', name],
			['Core-UUID', this.uuid],
			['FreeSWITCH-Hostname', 'fs.example'],
			['FreeSWITCH-Switchname', 'fs.example'],
			['FreeSWITCH-IPv4', '127.0.0.1'],
			['FreeSWITCH-IPv6', '::1'],
			['Event-Date-Local', stamp(now)],
			['Event-Date-GMT', date.toUTCString()],
			['Event-Date-Timestamp', String(now)],
			...Object.entries(SOURCES[name] ?? {}),
			['Event-Sequence', String(++this.#sequence)],
		]
		return { name, headers: [...common, ...headers], ...(body === undefined ? {} : { body }) }
	}

	fireChannel(leg: Leg, name: string, own: Headers = []): void {
		this.fire(name, channelHeaders(leg, name, own))
	}

	/** Changes the call state and tells it; the answer state stays what it is. */
	setCallState(leg: Leg, state: string): void {
		const before = leg.callState
		leg.callState = state
		this.fireChannel(leg, 'CHANNEL_CALLSTATE', [
			['Original-Channel-Call-State', before],
			['Channel-Call-State-Number', String(NUMBER_OF_CALL_STATE[state] ?? 0)],
		])
	}

	/** The limit that the switch tells; it holds to it only when one was given. */
	get sessionsPerSecond(): number {
		return this.options.sessionsPerSecond ?? 30
	}

	/** The same of the channels at once. */
	get maxSessions(): number {
		return this.options.maxSessions ?? 5000
	}

	/**
	 * What HEARTBEAT tells as `Session-Per-Sec`: not the limit but what is left of it (`runtime.sps`; 999 of 1000 in a recording).
	 * The switch counts in seconds that begin when it likes: here every second that could be one.
	 */
	get sessionsLeft(): number {
		const now = this.clock.now()
		while ((this.#created[0] ?? now) < now - 1_000_000) {
			this.#created.shift()
		}
		return Math.max(0, this.sessionsPerSecond - this.#created.length)
	}

	/** Whether one more channel may be created: the one that takes the last of a second is refused (`--runtime.sps <= 0`). */
	mayCreate(): boolean {
		const { maxSessions, sessionsPerSecond } = this.options
		return !this.isPaused && (sessionsPerSecond === undefined || this.sessionsLeft > 1) && (maxSessions === undefined || this.legs.size < maxSessions)
	}

	add(leg: Leg): void {
		this.legs.set(leg.uuid, leg)
		this.#created.push(this.clock.now())
		this.sessionsSinceStart++
		this.peak = Math.max(this.peak, this.legs.size)
	}

	/** A channel that commands can reach: one that is ending cannot be. */
	locate(uuid: string): Leg | undefined {
		const leg = this.legs.get(uuid)
		return leg?.ending === undefined ? leg : undefined
	}

	/** Ends a channel. Only the first reason counts. */
	hangUp(leg: Leg, ending: Ending): void {
		if (leg.ending !== undefined || this.#stopped) {
			return
		}
		if (leg.held) {
			// A leg that is held is taken back first (`switch_channel_perform_hangup`).
			leg.held = false
			this.setCallState(leg, 'UNHELD')
			this.fireChannel(leg, 'CHANNEL_UNHOLD')
		}
		leg.ending = ending
		leg.answerState = 'hangup'
		leg.stateNumber = 10
		onHangUp(leg)
		this.fireChannel(leg, 'CHANNEL_HANGUP')
		leg.wake()
	}

	/** CALLSTATE HANGUP and HANGUP_COMPLETE of a channel that has ended. */
	complete(leg: Leg): void {
		leg.release()
		leg.state = 'CS_HANGUP'
		leg.times.hangup = this.clock.now()
		this.setCallState(leg, 'HANGUP')
		setFinalVariables(leg)
		setFarewell(leg)
		leg.state = 'CS_REPORTING'
		leg.stateNumber = 11
		// `switch_core_session_reporting_state` lets its modules work before it fires the event.
		this.options.record(leg)
		this.fireChannel(leg, 'CHANNEL_HANGUP_COMPLETE', [['Hangup-Cause', leg.ending?.cause ?? 'NORMAL_CLEARING']])
	}

	destroy(leg: Leg): void {
		leg.stateNumber = 12
		this.legs.delete(leg.uuid)
		this.fireChannel(leg, 'CHANNEL_DESTROY')
	}

	/** Waits for something to happen on one of the legs, or for a time of the switch to pass. */
	until(ms: number, legs: readonly Leg[]): Promise<void> {
		return new Promise((resolve) => {
			const undo: (() => void)[] = []
			const done = (): void => {
				undo.forEach((step) => step())
				resolve()
			}
			undo.push(this.clock.after(legs.some((leg) => leg.hasNews) ? 0 : ms, done))
			for (const leg of legs) {
				undo.push(leg.onWake(done))
			}
		})
	}

	/**
	 * Does something later, unless the channel has ended by then.
	 *
	 * @return calls it off
	 */
	later(leg: Leg, ms: number, task: () => void): () => void {
		const undo = this.clock.after(ms, task)
		leg.keep(undo)
		return undo
	}

	/** Nothing happens any more: no event, no timer. */
	stop(): void {
		this.#stopped = true
		for (const leg of this.legs.values()) {
			leg.release()
		}
		this.legs.clear()
	}
}
