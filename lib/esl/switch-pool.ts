// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The switch as the domain sees it: one or several FreeSWITCHes. Which of them dials is decided here, by what is known at
// that moment; every later command goes to the one that has the call.

import type { LegReport } from '../calls/call-events.ts'
import type { CodeCaller, CodeCallPlan } from '../calls/device-verification.ts'
import type { CallSwitch, CommandResult, NoSlot, OriginatePlan, Slot, TransferPlan } from '../calls/ports.ts'
import type { NodeFigures } from '../calls/switch-inquiry.ts'
import type { TestCaller, TestCallPlan } from '../calls/test-calls.ts'
import type { EslEndpoint } from './esl-connection.ts'
import type { FreeSwitchOptions, SwitchListeners } from './freeswitch.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { EslError } from './esl-error.ts'
import { FreeSwitch } from './freeswitch.ts'
import { callsPerSec, Pacing } from './pacing.ts'

export interface SwitchPoolOptions extends FreeSwitchOptions {
	/** Among how many servers of SIPCall each node's allowance is divided. */
	share?: () => number
}

/** FreeSWITCH's stock limit (`sessions-per-second`), where a node does not tell its own. */
const STOCK_SESSIONS_PER_SEC = 30
/** A call over there is two sessions. */
const LEGS = 2
/** A call is taken over within seconds; a peer that has been away for longer will not tell of it. */
const PEER_PATIENCE_MS = 30_000

/** One FreeSWITCH with what this server has under way there. */
class Node {
	readonly freeSwitch: FreeSwitch
	readonly pacing: Pacing
	paced = 0
	refused = 0
	readonly #share: () => number
	/** Places that were given since the node has last told how busy it is. */
	#given = 0
	#told = 0

	constructor(freeSwitch: FreeSwitch, share: () => number) {
		this.freeSwitch = freeSwitch
		this.#share = share
		this.pacing = new Pacing({ ratePerSec: () => this.callsPerSec, now: () => performance.now() })
	}

	get callsPerSec(): number {
		return callsPerSec(this.freeSwitch.load.sessionsPerSec ?? STOCK_SESSIONS_PER_SEC, this.#share())
	}

	/** 0 … 1, and above: the part of its sessions that is in use. */
	get busyness(): number {
		const { sessions = 0, maxSessions = Infinity, told } = this.freeSwitch.load
		if (told !== this.#told) {
			this.#told = told
			this.#given = 0
		}
		const used = sessions + this.#given * LEGS
		// Nodes that tell no limit are told apart as well.
		return maxSessions === Infinity ? used / 1e6 : (used + LEGS - 1) / maxSessions
	}

	figures(): NodeFigures {
		const { freeSwitch, pacing, paced, refused } = this
		const { isAccepting, sessions, maxSessions, sessionsPerSec, clockSkewSec, beatAgeMs } = freeSwitch.load
		return {
			node: freeSwitch.name,
			isReady: freeSwitch.isReady(),
			isAccepting,
			sessions,
			maxSessions,
			sessionsPerSec,
			heartbeatAgeSec: beatAgeMs === undefined ? undefined : beatAgeMs / 1000,
			clockSkewSec,
			eventLagSec: freeSwitch.eventLagSec,
			callsPerSec: pacing.perSecond,
			waiting: pacing.waiting,
			paced,
			refused,
		}
	}

	reserve(): Slot | undefined {
		const place = this.pacing.reserve()
		if (place === undefined) {
			return undefined
		}
		this.#given++
		const { freeSwitch } = this
		let isKept = true
		return {
			node: freeSwitch.name,
			turn: async (signal) => {
				let hasWaited = false
				for (let leftMs = this.pacing.take(place); leftMs > 0 && signal?.aborted !== true; leftMs = this.pacing.take(place)) {
					this.paced += Number(!hasWaited)
					hasWaited = true
					await delay(leftMs, undefined, signal === undefined ? {} : { signal }).catch(() => {})
				}
				return hasWaited
			},
			answered: () => this.pacing.answered(place),
			release: () => {
				this.pacing.release(place)
				this.#given = Math.max(0, this.#given - Number(isKept))
				isKept = false
			},
		}
	}
}

export class SwitchPool implements CallSwitch, CodeCaller, TestCaller {
	readonly #options: SwitchPoolOptions
	readonly #listeners: SwitchListeners[] = []
	#nodes: Node[] = []

	constructor(options: SwitchPoolOptions) {
		this.#options = options
	}

	/** Adds somebody who is told, of all nodes; what came before is not repeated. */
	listen(listeners: SwitchListeners): void {
		this.#listeners.push(listeners)
	}

	/** Leaves the nodes that are not among these, and goes to those that are new. */
	connectTo(endpoints: readonly EslEndpoint[]): void {
		const kept = new Map(this.#nodes.map((node) => [JSON.stringify(node.freeSwitch.endpoint), node]))
		this.#nodes = endpoints.map((endpoint) => {
			const known = kept.get(JSON.stringify(endpoint))
			kept.delete(JSON.stringify(endpoint))
			return known ?? this.#open(endpoint)
		})
		kept.forEach(({ freeSwitch }) => freeSwitch.stop())
	}

	#open(endpoint: EslEndpoint): Node {
		const { share = () => 1, ...options } = this.#options
		const freeSwitch = new FreeSwitch(options)
		const node = new Node(freeSwitch, share)
		freeSwitch.listen({
			onNotice: (notice) => this.#listeners.forEach(({ onNotice }) => onNotice(notice)),
			onReady: (name) => this.#listeners.forEach(({ onReady }) => onReady?.(name)),
			onChange: (name) => this.#listeners.forEach(({ onChange }) => onChange?.(name)),
			onGateway: (...told) => this.#listeners.forEach(({ onGateway }) => onGateway?.(...told)),
			onLag: (seconds) => this.#listeners.forEach(({ onLag }) => onLag?.(seconds)),
		})
		freeSwitch.connectTo(endpoint)
		return node
	}

	stop(): void {
		this.connectTo([])
	}

	/** Whether there is a switch to connect to at all. */
	get isSetUp(): boolean {
		return this.#nodes.length > 0
	}

	/** From which this machine is connected to the first node that it is connected to. */
	get localAddress(): string | undefined {
		return this.#nodes.map(({ freeSwitch }) => freeSwitch.localAddress).find((address) => address !== undefined)
	}

	/** In the order in which they are set up. */
	get nodes(): FreeSwitch[] {
		return this.#nodes.map(({ freeSwitch }) => freeSwitch)
	}

	figures(): NodeFigures[] {
		return this.#nodes.map((node) => node.figures())
	}

	figuresOf(name: string): NodeFigures | undefined {
		return this.#named(name)?.figures()
	}

	isReady(name?: string): boolean {
		return this.#ownersOf(name).some(({ freeSwitch }) => freeSwitch.isReady())
	}

	/** Whether a call may be placed on any of them, were it not for their gateways and limits. */
	isServing(): boolean {
		return this.#nodes.some(({ freeSwitch }) => freeSwitch.isServing())
	}

	reserve(isUsable: (node: string) => boolean): Slot | NoSlot {
		const reached = this.#nodes.filter(({ freeSwitch }) => freeSwitch.isServing() && isUsable(freeSwitch.name))
		const open = reached.filter((node) => node.freeSwitch.isAlive() && node.busyness < 1)
		// What was told may be old: whoever comes next finds out.
		reached.filter((node) => !open.includes(node)).forEach(({ freeSwitch }) => void freeSwitch.refreshLoad())
		for (const node of open.toSorted((a, b) => a.busyness - b.busyness)) {
			const slot = node.reserve()
			if (slot !== undefined) {
				return slot
			}
		}
		if (open.length > 0) {
			open.forEach((node) => node.refused++)
			return { refused: 'pace', retryAfterSec: Math.max(1, Math.ceil(Math.min(...open.map(({ pacing }) => pacing.waitMs())) / 1000)) }
		}
		return { refused: reached.length > 0 ? 'full' : 'away', retryAfterSec: 10 }
	}

	originate(plan: OriginatePlan, node: string): Promise<void> {
		return this.#at(node).originate(plan)
	}

	callWithCode(plan: CodeCallPlan, node: string): Promise<void> {
		return this.#at(node).callWithCode(plan)
	}

	callForTest(plan: TestCallPlan, node: string): Promise<void> {
		return this.#at(node).callForTest(plan)
	}

	/** Where its node cannot be told, the others are: one of them may have taken the call over. */
	async kill(legUuid: string, name?: string): Promise<void> {
		const owners = this.#ownersOf(name).filter(({ freeSwitch }) => freeSwitch.isReady())
		const told = await Promise.allSettled((owners.length > 0 ? owners : this.#nodes).map(({ freeSwitch }) => freeSwitch.kill(legUuid)))
		if (!told.some(({ status }) => status === 'fulfilled')) {
			const [failed] = told
			throw failed?.status === 'rejected' ? failed.reason : noSwitch()
		}
	}

	hold(legUuid: string, isHeld: boolean, name?: string): Promise<CommandResult> {
		return this.#control(legUuid, name, (freeSwitch) => freeSwitch.hold(legUuid, isHeld))
	}

	sendDigits(legUuid: string, digits: string, name?: string): Promise<CommandResult> {
		return this.#control(legUuid, name, (freeSwitch) => freeSwitch.sendDigits(legUuid, digits))
	}

	transfer(legUuid: string, plan: TransferPlan, name?: string): Promise<CommandResult> {
		return this.#control(legUuid, name, (freeSwitch) => freeSwitch.transfer(legUuid, plan))
	}

	/** A node says yes also to a leg that it does not have: of several the one that has it is found first. */
	async #control(legUuid: string, name: string | undefined, command: (freeSwitch: FreeSwitch) => Promise<CommandResult>): Promise<CommandResult> {
		const [owner, ...others] = this.#ownersOf(name)
		if (owner !== undefined && others.length === 0) {
			return command(owner.freeSwitch)
		}
		try {
			const report = await this.look(legUuid, name)
			const found = report?.node === undefined ? undefined : this.#named(report.node)
			return found === undefined ? 'refused' : await command(found.freeSwitch)
		} catch (error) {
			if (error instanceof EslError && error.code === 'unsafe_command') {
				throw error
			}
			return 'not_written'
		}
	}

	async look(legUuid: string, name?: string): Promise<LegReport | undefined> {
		const owner = name === undefined ? undefined : this.#named(name)
		if (this.#nodes.length === 0) {
			throw noSwitch()
		}
		let fault: { error: unknown } | undefined
		for (const node of owner === undefined ? this.#nodes : [owner, ...this.#nodes.filter((peer) => peer !== owner)]) {
			try {
				const report = await node.freeSwitch.look(legUuid)
				if (report !== undefined) {
					return report
				}
			} catch (error) {
				// Where its own node says that there is no such channel, a peer that is away for good keeps no call open.
				if (owner === undefined || node === owner || node.freeSwitch.awayMs < PEER_PATIENCE_MS) {
					fault ??= { error }
				}
			}
		}
		if (fault !== undefined) {
			throw fault.error
		}
		return undefined
	}

	/** Where a call may be: on its own node, or, when that is not known here, on any. */
	#ownersOf(name: string | undefined): Node[] {
		const owner = name === undefined ? undefined : this.#named(name)
		return owner === undefined ? this.#nodes : [owner]
	}

	#named(name: string): Node | undefined {
		return this.#nodes.find(({ freeSwitch }) => freeSwitch.name === name)
	}

	/** A node that was taken away meanwhile is one that is not connected. */
	#at(name: string): FreeSwitch {
		return this.#named(name)?.freeSwitch ?? new FreeSwitch(this.#options)
	}
}

function noSwitch(): EslError {
	return new EslError('not_connected', 'No FreeSWITCH is set up')
}
