// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What a test or `make run` can ask of the scripted FreeSWITCH. */

import type { GatewayLook, JobPlace } from './core.ts'
import type { AskedCommand, ParsedOriginate } from './desk.ts'
import type { SwitchEvent } from './event.ts'
import type { AnswerState, LegRole } from './leg.ts'
import type { Pace, ScenarioName, Story } from './stories.ts'

/** What may go wrong with a command: see `onCommand`. */
export type CommandFault = 'ignore' | 'drop' | 'drop-unheard' | 'deny'

export interface ScriptedFreeSwitchOptions {
	host?: string
	/** 0 takes a free port. */
	port?: number
	password?: string
	/** Users of `userauth` and their passwords. */
	users?: Readonly<Record<string, string>>
	/** The story an originate tells; a list gives one to each gateway in turn, the last one stays. Default: by its numbers, see stories.ts. */
	scenario?: (originate: ParsedOriginate) => ScenarioName | Story | readonly (ScenarioName | Story)[]
	/** Milliseconds between the steps; what is left out is 0. `HUMAN_PACE` is for people. */
	pace?: Partial<Pace>
	/** Seconds of the switch per second of the wall clock: pace, timeouts, times and durations run that much faster. Infinity jumps to whatever is due next: nothing then depends on the speed of the machine, but no timeout waits for a client either. */
	speed?: number
	/** Seconds of the wall clock between two HEARTBEAT events; 0 sends none. */
	heartbeatSec?: number
	/** Told in `status` (30 unless given); enforced only when given. */
	sessionsPerSecond?: number
	/** Told in HEARTBEAT and `status` (5000 unless given); enforced only when given. */
	maxSessions?: number
	/** Which leg's HANGUP_COMPLETE comes first. */
	legOrder?: 'a-first' | 'b-first'
	/** Where BACKGROUND_JOB stands among the events of its call. */
	jobPlace?: JobPlace
	/** Every event comes twice. */
	doubleEvents?: boolean
	/** The gateways that are configured. Left out, every name is a gateway that is up. */
	gateways?: Readonly<Record<string, 'UP' | 'DOWN'>>
	/** How gateways are registered and pinged; left out, they are neither. */
	gatewayLooks?: Readonly<Record<string, GatewayLook>>
	/** Takes a channel's record as mod_json_cdr makes it, `<uuid>.cdr.json` and its text. */
	onRecord?: (record: CdrFile) => void
	/** Told when a phone is played beeps. */
	onHeard?: (heard: HeardBeeps) => void
	/** Told of each event as it happens, whether or not a client hears of it. */
	onEvent?: (event: SwitchEvent) => void
}

/** What mod_json_cdr posts, or writes into a file. */
export interface CdrFile {
	name: string
	text: string
}

/** What somebody heard who picked up and counted. */
export interface HeardBeeps {
	legUuid: string
	/** Of the phone. */
	number: string
	/** The digits, once for each repetition. */
	texts: readonly string[]
}

export interface ScriptedChannel {
	uuid: string
	leg: LegRole
	state: Exclude<AnswerState, 'hangup'>
	/** What was dialled. */
	number: string
	gateway: string | undefined
	held: boolean
	variables: Readonly<Record<string, string>>
}

export interface ScriptedFreeSwitch {
	readonly host: string
	readonly port: number
	readonly password: string
	/** Another one after each restart. */
	readonly coreUuid: string
	/** Everything that clients asked, in order, logins included. */
	readonly commands: readonly AskedCommand[]
	readonly originates: readonly ParsedOriginate[]
	/** What phones were played, in order. */
	readonly heard: readonly HeardBeeps[]
	/** The number of clients that are logged in. */
	readonly clients: number
	channels(): ScriptedChannel[]
	/** Called with each command before it is executed. 'ignore': neither executed nor answered; 'drop': executed, then the line is cut before the reply; 'drop-unheard': cut first; 'deny': refused with a command/reply. */
	onCommand: ((command: string, connection: number) => CommandFault | undefined) | undefined
	/** Called with the name of each event before it is sent. 'lost': nobody hears it; 'late': nobody does before `tellLate`. */
	onEvent: ((name: string) => 'lost' | 'late' | undefined) | undefined
	/** Sends what was held back, in its order. */
	tellLate(): void
	/** Cuts lines without a farewell: all, those that are told of channels, or the others. */
	dropConnections(which?: 'all' | 'subscribed' | 'commands'): void
	/** Sends nothing any more while every line stays open, until `resume`. */
	freeze(): void
	resume(): void
	/** Stops and comes back on the same port with no channels. `abrupt`: everything vanishes without a word. */
	restart(options?: { abrupt?: boolean, downMs?: number }): Promise<void>
	/** The party at the end of a leg hangs up, or rejects if it has not answered. */
	hangUp(legUuid: string, cause?: string): void
	/** A silent gateway tells at last that the phone at its end rings. */
	ring(legUuid: string): void
	/** The party at the end of a ringing leg picks up. */
	answer(legUuid: string): void
	/** A gateway with ping changes its state: the event is fired, and calls through it are refused while it is down. */
	setGateway(name: string, state: 'UP' | 'DOWN'): void
	/** Takes no new channels, as after `fsctl pause`, or takes them again. */
	pause(isPaused: boolean): void
	/** Sends a HEARTBEAT now. */
	beat(): void
	/** What another switch had under way is here from now on, as after `sofia recover`; that one is never heard of again. */
	recover(from: ScriptedFreeSwitch): void
	/** Resolves once the condition holds; it is looked at after every command and event. */
	until(condition: () => boolean): Promise<void>
	stop(): Promise<void>
}
