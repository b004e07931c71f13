// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * A scripted FreeSWITCH: it speaks the Event Socket over TCP and plays calls as a real one does on the wire.
 * Nothing rings and nobody pays. The suites hold it to recordings of FreeSWITCH 1.10.12 in test/fixtures/freeswitch.
 */

import type { Server } from 'node:net'
import type { Command } from './connection.ts'
import type { HeardBeeps, ScriptedChannel, ScriptedFreeSwitch, ScriptedFreeSwitchOptions } from './contract.ts'
import type { AskedCommand, Desk, ParsedOriginate } from './desk.ts'
import type { SwitchEvent } from './event.ts'
import type { Leg } from './leg.ts'
import type { Story } from './stories.ts'

import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../../support/free-port.ts'
import { Conditions } from '../conditions.ts'
import { uptimeText } from './api-status.ts'
import { readCause } from './causes.ts'
import { cdrOf } from './cdr.ts'
import { handleCommand } from './commands.ts'
import { Connection } from './connection.ts'
import { Core } from './core.ts'
import { ring } from './dial.ts'
import { recover } from './recover.ts'
import { AT_ONCE, STORIES, storiesByNumber } from './stories.ts'
import { HEARTBEAT } from './templates.ts'

export type { CommandFault, HeardBeeps, ScriptedChannel, ScriptedFreeSwitch, ScriptedFreeSwitchOptions } from './contract.ts'
export type { JobPlace } from './core.ts'
export type { ParsedOriginate } from './desk.ts'
export type { SwitchEvent } from './event.ts'
export type { OriginateLeg, OriginateLine } from './tokenizer.ts'
export { type Pace, type Party, type ScenarioName, type Story, AT_ONCE, HUMAN_PACE, STORIES } from './stories.ts'

class Stage implements ScriptedFreeSwitch, Desk {
	readonly commands: AskedCommand[] = []
	readonly originates: ParsedOriginate[] = []
	readonly heard: HeardBeeps[] = []
	readonly password: string
	readonly users: Readonly<Record<string, string>>
	readonly host: string
	onCommand: ScriptedFreeSwitch['onCommand'] = undefined
	onEvent: ScriptedFreeSwitch['onEvent'] = undefined
	core: Core

	readonly #options: ScriptedFreeSwitchOptions
	readonly #connections = new Set<Connection>()
	readonly #conditions = new Conditions()
	#gateways: Map<string, 'UP' | 'DOWN'> | undefined
	#server: Server | undefined
	#port: number
	#heartbeat: NodeJS.Timeout | undefined
	#frozen = false
	#lastConnection = 0
	#restarted: Promise<void> = Promise.resolve()
	readonly #late: SwitchEvent[] = []

	constructor(options: ScriptedFreeSwitchOptions) {
		this.#options = options
		this.host = options.host ?? '127.0.0.1'
		this.#port = options.port ?? 0
		this.password = options.password ?? 'ClueCon'
		this.users = options.users ?? {}
		this.#gateways = options.gateways === undefined ? undefined : new Map(Object.entries(options.gateways))
		this.core = this.#newCore()
	}

	get port(): number {
		return this.#port
	}

	get coreUuid(): string {
		return this.core.uuid
	}

	get clients(): number {
		return [...this.#connections].filter((connection) => connection.authenticated && connection.open).length
	}

	#newCore(): Core {
		return new Core({
			pace: { ...AT_ONCE, ...this.#options.pace },
			speed: this.#options.speed ?? 1,
			sessionsPerSecond: this.#options.sessionsPerSecond,
			maxSessions: this.#options.maxSessions,
			legOrder: this.#options.legOrder ?? 'b-first',
			jobPlace: this.#options.jobPlace ?? 'after-answer',
			gateways: this.#gateways,
			gatewayLooks: this.#options.gatewayLooks ?? {},
			hear: (leg, texts) => {
				const heard = { legUuid: leg.uuid, number: leg.profile.destination, texts }
				this.heard.push(heard)
				this.#options.onHeard?.(heard)
				this.#look()
			},
			record: (leg) => this.#options.onRecord?.(cdrOf(leg, this.coreUuid)),
			publish: (event) => {
				this.#options.onEvent?.(event)
				const fault = this.onEvent?.(event.name)
				if (fault === 'late') {
					this.#late.push(event)
				} else if (fault === undefined) {
					this.#offer(event)
				}
				this.#look()
			},
		})
	}

	#offer(event: SwitchEvent): void {
		for (const connection of this.#connections) {
			connection.offer(event, this.#options.doubleEvents ? 2 : 1)
		}
	}

	tellLate(): void {
		this.#late.splice(0).forEach((event) => this.#offer(event))
	}

	async listen(): Promise<void> {
		const server = createServer((socket) => {
			const connection = new Connection(++this.#lastConnection, socket, (command, from) => this.#handle(command, from), this.#frozen)
			this.#connections.add(connection)
			socket.once('close', () => this.#connections.delete(connection))
		})
		this.#server = server
		// One that restarts comes back on its port.
		this.#port ||= await findFreePort()
		server.listen(this.#port, this.host)
		await once(server, 'listening')
		const seconds = this.#options.heartbeatSec ?? 20
		if (seconds > 0) {
			this.#heartbeat = setInterval(() => this.beat(), seconds * 1000)
			this.#heartbeat.unref()
		}
	}

	beat(): void {
		const { core } = this
		const now: Record<string, string> = {
			'Up-Time': uptimeText(core),
			'Uptime-msec': String(Math.floor(core.clock.uptime() / 1000)),
			'Session-Count': String(core.legs.size),
			'Max-Sessions': String(core.maxSessions),
			'Session-Per-Sec': String(core.sessionsLeft),
			'Session-Since-Startup': String(core.sessionsSinceStart),
			'Session-Peak-Max': String(core.peak),
			'Session-Peak-FiveMin': String(core.peak),
		}
		core.fire('HEARTBEAT', Object.entries(HEARTBEAT).map(([name, recorded]) => [name, now[name] ?? recorded]))
	}

	async #handle(command: Command, connection: Connection): Promise<void> {
		this.commands.push({ connection: connection.id, command: command.line, headers: command.headers })
		const fault = this.onCommand?.(command.line, connection.id)
		if (fault === undefined) {
			await handleCommand(this, connection, command)
		} else if (fault === 'deny') {
			connection.reply('-ERR permission denied')
		} else if (fault === 'drop') {
			connection.mute()
			await handleCommand(this, connection, command)
			connection.cut()
		} else if (fault === 'drop-unheard') {
			connection.cut()
		}
		this.#look()
	}

	storiesOf(originate: ParsedOriginate): readonly Story[] {
		const chosen = this.#options.scenario?.(originate) ?? storiesByNumber(originate.parsed)
		const list = typeof chosen === 'string' || 'a' in chosen ? [chosen] : chosen
		return list.map((story) => typeof story === 'string' ? STORIES[story] : story)
	}

	channels(): ScriptedChannel[] {
		return [...this.core.legs.values()].flatMap((leg) => leg.answerState === 'hangup'
			? []
			: [{
					uuid: leg.uuid,
					leg: leg.role,
					state: leg.answerState,
					number: leg.profile.destination,
					gateway: leg.gateway,
					held: leg.held,
					variables: Object.fromEntries(leg.variables),
				}])
	}

	dropConnections(which: 'all' | 'subscribed' | 'commands' = 'all'): void {
		for (const connection of this.#connections) {
			const subscribed = connection.events.has('CHANNEL_CREATE') || connection.events.has('ALL')
			if (which === 'all' || (which === 'subscribed') === subscribed) {
				connection.cut()
			}
		}
	}

	freeze(): void {
		this.#frozen = true
		this.#connections.forEach((connection) => connection.setFrozen(true))
	}

	resume(): void {
		this.#frozen = false
		this.#connections.forEach((connection) => connection.setFrozen(false))
	}

	/** One after the other: who is on the way down or up cannot go down. */
	async restart(options: { abrupt?: boolean, downMs?: number } = {}): Promise<void> {
		const restarted = this.#restarted.then(() => this.#restart(options))
		this.#restarted = restarted
		await restarted
	}

	async #restart({ abrupt = false, downMs = 0 }: { abrupt?: boolean, downMs?: number }): Promise<void> {
		await this.#goDown(abrupt)
		await delay(downMs)
		this.core = this.#newCore()
		await this.listen()
	}

	shutDown(): void {
		void this.#goDown(false)
	}

	async #goDown(abrupt: boolean): Promise<void> {
		clearInterval(this.#heartbeat)
		const closed = this.#server?.listening ? once(this.#server, 'close') : undefined
		this.#server?.close()
		if (!abrupt) {
			this.core.fire('SHUTDOWN', [['Event-Info', 'System Shutting Down']])
			for (const leg of this.core.legs.values()) {
				this.core.hangUp(leg, { cause: 'SYSTEM_SHUTDOWN', by: 'switch' })
			}
			await this.until(() => this.core.legs.size === 0)
		}
		this.core.stop()
		const open = [...this.#connections]
		open.forEach((connection) => abrupt ? connection.cut() : connection.close('shutdown'))
		// A client that does not close its half must not keep the port.
		setTimeout(() => open.forEach((connection) => connection.cut()), 500).unref()
		await closed
	}

	#leg(uuid: string): Leg {
		const leg = this.core.locate(uuid)
		if (leg === undefined) {
			throw new Error(`There is no channel ${uuid}.`)
		}
		return leg
	}

	hangUp(legUuid: string, cause?: string): void {
		const leg = this.#leg(legUuid)
		const wanted = readCause(cause)
		if (leg.answered) {
			this.core.hangUp(leg, { cause: wanted, by: 'party' })
			return
		}
		const busy = wanted === 'USER_BUSY'
		const refusal = busy ? { status: 486, phrase: 'Busy Here' } : { status: 603, phrase: 'Decline' }
		this.core.hangUp(leg, { cause: cause === undefined ? 'CALL_REJECTED' : wanted, by: 'party', refusal })
	}

	ring(legUuid: string): void {
		const leg = this.#leg(legUuid)
		ring(this.core, leg, this.core.locate(leg.other?.uuid ?? ''))
	}

	answer(legUuid: string): void {
		const leg = this.#leg(legUuid)
		if (!leg.answered) {
			leg.pickedUp = true
			leg.wake()
		}
	}

	setGateway(name: string, state: 'UP' | 'DOWN'): void {
		this.#gateways ??= new Map()
		this.#gateways.set(name, state)
		this.core.options.gateways = this.#gateways
		const answer: [string, string][] = state === 'UP' ? [['Phrase', 'OK'], ['Status', '200']] : [['Phrase', 'Service Unavailable'], ['Status', '503']]
		this.core.fire('CUSTOM', [['Gateway', name], ['State', 'NOREG'], ['Ping-Status', state], ...answer], undefined, 'sofia::gateway_state')
	}

	pause(isPaused: boolean): void {
		this.core.isPaused = isPaused
	}

	recover(from: ScriptedFreeSwitch): void {
		if (from instanceof Stage) {
			recover(this.core, from.core)
			// The other one is gone: nobody hears from it how its channels went on.
			from.core.stop()
		}
	}

	#look(): void {
		this.#conditions.look()
	}

	until(condition: () => boolean): Promise<void> {
		return this.#conditions.until(condition)
	}

	async stop(): Promise<void> {
		await this.#goDown(true)
	}
}

/** Starts a scripted FreeSWITCH and resolves once it listens. */
export async function startScriptedFreeSwitch(options: ScriptedFreeSwitchOptions = {}): Promise<ScriptedFreeSwitch> {
	const stage = new Stage(options)
	await stage.listen()
	return stage
}
