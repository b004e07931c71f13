// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Makes the faults of a plan happen, each when its step passes or its time has come, and mends them again. What they may
// have cost is noted, for whoever judges: a call whose end fell into such a time may be one whose end nobody could tell.

import type { Environment } from './environment.ts'
import type { Place, Plan, PlannedFault } from './plan.ts'
import type { Link, Treatment } from './proxy.ts'
import type { Part, Step } from './steps.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { describeFault, describeTrigger } from './plan.ts'

/** A time in which events may have been lost. */
export interface Gap {
	from: number
	/** Infinity: not over. */
	to: number
	why: string
}

export interface FaultRecord {
	fault: string
	trigger: string
	/** Milliseconds since the run began; undefined: its step never came. */
	firedMs?: number
}

/** A replica that was killed, and when another one took its events. */
export interface Kill {
	at: number
	place: Place
	/** Whether there was another one to take them. */
	hadPeer: boolean
	takeoverMs?: number
}

const MIX_LONGEST_MS = 60
/** A little less than the product waits for Redis. */
const REDIS_SLOW_MS = 350

export class Faults {
	readonly records: FaultRecord[]
	readonly gaps: Gap[] = []
	readonly kills: Kill[] = []
	/** Single events that were lost, by what they told. */
	readonly lost: string[] = []
	/** Whether anything was wrong with Redis: counters may have been in memory, or begun anew. */
	redisFaults = 0
	isClockWrong = false
	isSwitchRestarted = false
	readonly #environment: Environment
	readonly #plan: Plan
	readonly #since = performance.now()
	readonly #armed: { planned: PlannedFault, record: FaultRecord, left: number }[] = []
	readonly #running = new Set<Promise<void>>()
	readonly #timers: NodeJS.Timeout[] = []
	readonly #losing: { place: Place | 'both', event: string, left: number }[] = []
	readonly #doubled = new Set<Place>()
	readonly #mixed = new Set<Place>()
	/** When a question to Redis passed that has no answer yet. */
	readonly #countingSince = new Map<Link, number>()
	#isOver = false

	constructor(environment: Environment, plan: Plan) {
		this.#environment = environment
		this.#plan = plan
		this.records = plan.faults.map(({ when, fault }) => ({ fault: describeFault(fault), trigger: describeTrigger(when) }))
	}

	arm(): void {
		this.#plan.faults.forEach((planned, index) => {
			const record = this.records[index]
			const { when } = planned
			if (record === undefined) {
				return
			}
			if (when.at === 'time') {
				this.#timers.push(setTimeout(() => this.#fire(planned, record), when.ms))
			} else {
				this.#armed.push({ planned, record, left: when.nth })
			}
		})
	}

	/** Asked by every proxy, for every message. */
	treat(place: Place, part: Part, step: Step, link: Link): Treatment | undefined {
		let treatment: Treatment | undefined
		for (const armed of this.#armed) {
			const { when, fault } = armed.planned
			if (when.at === 'step' && when.replica === place && when.part === part && when.direction === step.direction && when.step === step.name && --armed.left === 0) {
				// A dead process has neither sent nor read what passes after its death.
				const takesLink = fault.do === 'cut' || (fault.do === 'kill replica' && fault.replica === place)
				if (takesLink) {
					treatment = { cut: when.edge }
					this.#noteCut(place, part, link, `${fault.do} at ${part} ${step.name}`)
				}
				this.#fire(armed.planned, armed.record, link)
			}
		}
		return treatment ?? (part === 'switch' && step.name.startsWith('event ') ? this.#treatEvent(place, step) : undefined)
	}

	#treatEvent(place: Place, step: Step): Treatment | undefined {
		const losing = this.#losing.find((one) => one.left > 0 && (one.place === 'both' || one.place === place) && step.name === `event ${one.event}`)
		if (losing !== undefined) {
			losing.left--
			this.lost.push(step.text ?? '')
			return { copies: 0 }
		}
		const copies = this.#doubled.has(place) ? 2 : 1
		if (!this.#mixed.has(place)) {
			return copies === 1 ? undefined : { copies }
		}
		// Within one leg the order stays: each leg has a delay of its own.
		const leg = /"Unique-ID":"([0-9a-f]{8})/.exec(step.text ?? '')?.[1] ?? '1'
		return { copies, delayMs: 1 + ((Number.parseInt(leg, 16) ^ this.#plan.mixSeed) >>> 0) % MIX_LONGEST_MS }
	}

	onPassed(place: Place, part: Part, step: Step, link: Link): void {
		if (part === 'redis') {
			const now = performance.now()
			if (step.direction === 'up') {
				this.#countingSince.set(link, this.#countingSince.get(link) ?? now)
			} else {
				this.redisFaults += now - (this.#countingSince.get(link) ?? now) > REDIS_SLOW_MS ? 1 : 0
				this.#countingSince.delete(link)
			}
		}
		if (part === 'switch' && step.name === 'reply to subscribe') {
			// It is asked for everything that was missed from here on.
			this.#closeGap(place)
		}
	}

	onClosed(place: Place, part: Part, link: Link): void {
		if (part === 'switch' && this.#environment.eventLinks.delete(link)) {
			this.#openGap(place, 'its connection for events ended')
		}
	}

	/** The log of a replica tells that it follows the events of a switch now. */
	tookEvents(place: Place): void {
		for (const kill of this.kills.filter((one) => one.takeoverMs === undefined && one.place !== place && one.hadPeer)) {
			kill.takeoverMs = performance.now() - kill.at
		}
	}

	#noteCut(place: Place, part: Part, link: Link, why: string): void {
		if (part === 'switch' && this.#environment.eventLinks.has(link)) {
			this.#openGap(place, why)
		}
	}

	#openGap(place: Place, why: string): void {
		if (!this.gaps.some((gap) => gap.to === Infinity && gap.why.startsWith(`replica ${place}`))) {
			this.gaps.push({ from: performance.now(), to: Infinity, why: `replica ${place}: ${why}` })
		}
	}

	#closeGap(place: Place): void {
		// Where only one of the replicas listens, it is enough that one does.
		for (const gap of this.gaps.filter(({ to, why }) => to === Infinity && (this.#environment.hasOneListener || why.startsWith(`replica ${place}`)))) {
			gap.to = performance.now()
		}
	}

	#fire(planned: PlannedFault, record: FaultRecord, link?: Link): void {
		if (this.#isOver || record.firedMs !== undefined) {
			return
		}
		record.firedMs = Math.round(performance.now() - this.#since)
		const done = this.#do(planned, link).finally(() => this.#running.delete(done))
		this.#running.add(done)
	}

	async #do({ fault, when }: PlannedFault, link: Link | undefined): Promise<void> {
		const environment = this.#environment
		switch (fault.do) {
			case 'cut':
				if (fault.part === 'redis') {
					this.redisFaults++
				}
				if (link === undefined) {
					environment.proxiesOf(fault.part, fault.replica).forEach((proxy) => proxy.cut())
				}
				return
			case 'kill replica': {
				const replica = environment.replicasAt(fault.replica)[0]
				if (when.at === 'step' && when.edge === 'after' && when.replica === fault.replica && when.direction === 'down') {
					// It shall have read what has just passed.
					await delay(2)
				}
				if (replica?.isRunning !== true) {
					return
				}
				this.kills.push({ at: performance.now(), place: fault.replica, hadPeer: this.#environment.isServing(fault.replica === 0 ? 1 : 0) })
				replica.kill()
				this.#openGap(fault.replica, 'killed')
				await delay(fault.downMs)
				await replica.start()
				return
			}
			case 'kill redis': {
				const pid = environment.redis?.pid()
				if (pid === undefined) {
					return
				}
				this.redisFaults++
				process.kill(pid, 'SIGKILL')
				await this.#away('redis', fault.downMs)
				return
			}
			case 'stop postgres': {
				const pid = environment.postgres.pid()
				if (pid !== undefined) {
					// Immediate shutdown: what is not in its log is lost, as with a power failure.
					process.kill(pid, 'SIGQUIT')
				}
				await this.#away('postgres', fault.downMs)
				return
			}
			case 'restart switch': {
				this.isSwitchRestarted = true
				const now = performance.now()
				this.gaps.push({ from: now, to: now + fault.downMs, why: 'the switch was restarted' })
				await Promise.all(environment.switches.map(async (one, node) => {
					if (fault.isAbrupt) {
						environment.truth.vanish(node)
					}
					await one.restart({ abrupt: fault.isAbrupt, downMs: fault.downMs })
				}))
				return
			}
			case 'part':
				await this.#away('switch', fault.ms, fault.replica)
				return
			case 'silence': {
				const proxies = environment.proxiesOf(fault.part, fault.replica)
				if (fault.part === 'redis') {
					this.redisFaults++
				}
				proxies.forEach((proxy) => proxy.setWeather({ held: fault.held }))
				await delay(fault.ms)
				proxies.forEach((proxy) => proxy.setWeather({ held: [] }))
				return
			}
			case 'slow': {
				const proxies = environment.proxiesOf(fault.part, fault.replica)
				if (fault.part === 'redis') {
					this.redisFaults++
				}
				proxies.forEach((proxy) => proxy.setWeather({ latencyMs: fault.latencyMs, pieceBytes: fault.pieceBytes }))
				await delay(fault.ms)
				proxies.forEach((proxy) => proxy.setWeather({ latencyMs: 0, pieceBytes: undefined }))
				return
			}
			case 'double events':
			case 'mix events': {
				const places = fault.do === 'mix events' ? this.#mixed : this.#doubled
				const meant = environment.replicasAt(fault.replica).map(({ index }) => index)
				meant.forEach((place) => places.add(place))
				await delay(fault.ms)
				meant.forEach((place) => places.delete(place))
				return
			}
			case 'lose events':
				this.#losing.push({ place: fault.replica, event: fault.event, left: fault.count * (fault.replica === 'both' ? 2 : 1) })
				return
			case 'set clock': {
				this.isClockWrong = true
				const replicas = environment.replicasAt(fault.replica)
				replicas.forEach((replica) => replica.setWrong({ offsetMs: fault.offsetSec * 1000 }))
				await delay(fault.ms)
				replicas.forEach((replica) => replica.setWrong({ offsetMs: 0 }))
				return
			}
			case 'fill disk': {
				const replicas = environment.replicasAt(fault.replica)
				replicas.forEach((replica) => replica.setWrong({ isDiskFull: true }))
				await delay(fault.ms)
				replicas.forEach((replica) => replica.setWrong({ isDiskFull: false }))
			}
		}
	}

	/** Nobody reaches a server, or one replica does not, and then everybody again. */
	async #away(part: Part, ms: number, replica: Place | 'both' = 'both'): Promise<void> {
		const proxies = this.#environment.proxiesOf(part, replica)
		proxies.forEach((proxy) => proxy.setWeather({ isAway: true }))
		await delay(ms)
		proxies.forEach((proxy) => proxy.setWeather({ isAway: false }))
	}

	/** What has not happened by now does not happen any more; resolves when all is mended. */
	async end(): Promise<void> {
		this.#isOver = true
		this.#timers.forEach((timer) => clearTimeout(timer))
		this.#losing.length = 0
		while (this.#running.size > 0) {
			await Promise.all(this.#running)
		}
	}
}
