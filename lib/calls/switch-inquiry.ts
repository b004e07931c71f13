// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a switch can be asked about itself, in our words: for the doctor and for a connection that is not saved yet.

import type { SwitchConnection } from '../policy/settings.ts'

/** Why there is no connection. */
export type SwitchFault
	/** The host's name leads to no address. */
	= | 'host_unknown'
		/** The host answers, and nobody listens on this port. */
		| 'port_closed'
		| 'no_answer'
		/** Something answers, and it is no Event Socket. */
		| 'no_event_socket'
		/** The switch's access list does not contain our address. */
		| 'address_refused'
		| 'password_refused'
		/** The user may not hear the events by which calls are followed. */
		| 'events_denied'
		/** It was there and went. */
		| 'lost'

/** What FreeSWITCH knows of a gateway: of its registration, and of whether the other end answers its OPTIONS (`ping`). */
export type GatewayCondition
	= | 'registered'
		| 'answers'
		/** Neither registered nor pinged: FreeSWITCH calls it up, whatever it is. */
		| 'unwatched'
		| 'registering'
		| 'registration_failed'
		| 'silent'
		/** FreeSWITCH has no gateway of this name. */
		| 'missing'
		/** The Event Socket's user may not ask. */
		| 'not_told'

/** How busy a FreeSWITCH is, as it says, and what goes there from here. */
export interface NodeFigures {
	/** `host:port`. */
	node: string
	isReady: boolean
	/** false = it takes no new calls: paused, or on its way down; undefined where it does not tell. */
	isAccepting: boolean | undefined
	/** Channels that there are, and that there may be at once. */
	sessions: number | undefined
	maxSessions: number | undefined
	/** Channels that may be made in a second. */
	sessionsPerSec: number | undefined
	heartbeatAgeSec: number | undefined
	/** By how much its clock is ahead of ours (negative: behind), by the last HEARTBEAT. */
	clockSkewSec: number | undefined
	/** The latest that an event came within the last minute. */
	eventLagSec: number
	/** Calls a second that are placed there at most: half of the channels, divided among the servers of SIPCall. */
	callsPerSec: number
	/** Calls that wait for their turn now. */
	waiting: number
	/** Calls that had to wait, and that were refused because too many waited, since the start. */
	paced: number
	refused: number
}

export interface SwitchInquiry {
	/** `host:port`. */
	readonly name: string
	isReady(): boolean
	/** Ready, and heard by some server: calls may be placed there. */
	isServing(): boolean
	/** Why it is not ready; undefined before the first attempt has ended. */
	fault(): SwitchFault | undefined
	/** Its password is the one that FreeSWITCH comes with, and that everybody knows. */
	readonly hasStockPassword: boolean
	/** Commands that SIPCall needs and this user may not give, or that are not there. Asked once for each connection. */
	denied(): Promise<readonly string[]>
	/** Of FreeSWITCH, such as `1.10.12-release`; undefined when it does not tell. */
	version(): Promise<string | undefined>
	/** Resolves when the connection on which events come has answered. */
	hearsEvents(): Promise<void>
	gateway(name: string): Promise<GatewayCondition>
}

/** How far a connection that was tried came; times are milliseconds since the beginning. */
export interface SwitchTrial {
	reachedMs?: number
	acceptedMs?: number
	/** What ended it; undefined = everything was asked. */
	fault?: SwitchFault
	/** Commands that SIPCall needs and this user may not give, or that are not there; events as `event <name>`. */
	denied: string[]
	commandsMs?: number
	version?: string
	/** All that the switch knows; undefined when it does not tell. */
	gatewayNames?: string[]
	/** Of those that were asked for. */
	gateways: Map<string, GatewayCondition>
}

/** Tries a connection of its own, which is closed again. Never rejects. */
export type TrySwitch = (connection: SwitchConnection & { password: string }, gateways: readonly string[]) => Promise<SwitchTrial>
