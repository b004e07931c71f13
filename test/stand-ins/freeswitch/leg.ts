// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** One channel of the switch: what it knows of itself, and what was asked of it. */

import type { Party } from './stories.ts'

export type LegRole = 'a' | 'b'
export type AnswerState = 'ringing' | 'early' | 'answered' | 'hangup'

/** Why and by whom a channel ends. */
export interface Ending {
	cause: string
	/** The party at the far end of the leg, or the switch itself. */
	by: 'party' | 'switch'
	/** The answer with which the far end refuses. */
	refusal?: { status: number, phrase: string, nobodyThere?: true }
}

/** The application that a channel executes, as `bridge` and its argument. */
export interface Application {
	name: string
	argument: string
}

/** Moments in microseconds; 0 means that it did not happen. */
export interface Times {
	created: number
	progress: number
	progressMedia: number
	answered: number
	bridged: number
	hangup: number
	transfer: number
}

/** What a channel shows of itself in `Caller-…`, and another one in `Other-Leg-…`. */
export interface Profile {
	callerName: string
	callerNumber: string
	origCallerName: string
	origCallerNumber: string
	calleeName: string
	calleeNumber: string
	ani: string
	destination: string
	networkAddr?: string
}

export interface OtherLeg {
	type: 'originator' | 'originatee'
	uuid: string
	channelName: string
	profile: Profile
	times: Times
}

export interface LegOptions {
	uuid: string
	role: LegRole
	name: string
	profile: Profile
	party: Party
	createdAt: number
	sessionId: number
	host: string
	port: string
	gateway?: string
	/** `user@domain` of a registered phone. */
	presenceId?: string
	callUuid: string
}

export class Leg {
	readonly uuid: string
	readonly role: LegRole
	readonly party: Party
	readonly name: string
	readonly profile: Profile
	readonly sessionId: number
	readonly host: string
	readonly port: string
	readonly gateway: string | undefined
	readonly presenceId: string | undefined
	readonly times: Times
	/** In the order in which the switch sets them. */
	readonly variables = new Map<string, string>()

	callUuid: string
	state = 'CS_INIT'
	stateNumber = 2
	callState = 'DOWN'
	answerState: AnswerState = 'ringing'
	hitDialplan = false
	hasMedia = false
	held = false
	other: OtherLeg | undefined
	application: Application | undefined

	/** Set once the channel ends; nothing brings it back. */
	ending: Ending | undefined
	/** Asked for by `uuid_transfer` and `sendmsg`, not yet begun. */
	next: Application | undefined
	/** Asked for by `uuid_bridge`, not yet begun. */
	partner: Leg | undefined
	/** A test made the party pick up. */
	pickedUp = false

	readonly #listeners = new Set<() => void>()
	readonly #undo = new Set<() => void>()

	constructor(options: LegOptions) {
		this.uuid = options.uuid
		this.role = options.role
		this.party = options.party
		this.name = options.name
		this.profile = options.profile
		this.sessionId = options.sessionId
		this.host = options.host
		this.port = options.port
		this.gateway = options.gateway
		this.presenceId = options.presenceId
		this.callUuid = options.callUuid
		this.times = { created: options.createdAt, progress: 0, progressMedia: 0, answered: 0, bridged: 0, hangup: 0, transfer: 0 }
	}

	get answered(): boolean {
		return this.times.answered > 0
	}

	/** Something waits to be done: whoever drives this leg must look. */
	get hasNews(): boolean {
		return this.ending !== undefined || this.next !== undefined || this.partner !== undefined || this.pickedUp
	}

	/** A variable that is set again moves to the end of the list, as on the switch. */
	set(name: string, value: string): void {
		this.variables.delete(name)
		this.variables.set(name, value)
	}

	setAll(variables: Readonly<Record<string, string>>): void {
		for (const [name, value] of Object.entries(variables)) {
			this.set(name, value)
		}
	}

	isTrue(variable: string): boolean {
		return ['true', 'yes', 'on', '1'].includes(this.variables.get(variable) ?? '')
	}

	wake(): void {
		for (const listener of this.#listeners) {
			listener()
		}
	}

	onWake(listener: () => void): () => void {
		this.#listeners.add(listener)
		return () => this.#listeners.delete(listener)
	}

	/** Keeps the undo of a timer that must not outlive the channel. */
	keep(undo: () => void): void {
		this.#undo.add(undo)
	}

	release(): void {
		for (const undo of this.#undo) {
			undo()
		}
		this.#undo.clear()
	}

	/** How the other leg sees this one from now on. */
	seenAs(type: OtherLeg['type'], times: Times): OtherLeg {
		return { type, uuid: this.uuid, channelName: this.name, profile: { ...this.profile }, times }
	}
}
