// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the domain needs from the outside, in its own words. The adapters of lib/ implement these.

import type { CallFacts } from '../policy/rules.ts'
import type { UserRule } from '../policy/user-rule.ts'
import type { CallChange, CallLogEntry, LegReport } from './call-events.ts'
import type { Transition } from './call-state.ts'
import type { Call, CallOutcome, CallStatus, Cause, LegRole, Verdict } from './call.ts'

export interface Clock {
	now(): Date
}

/** Everything that an originate consists of; `esl/dial-string.ts` checks each value again before it is written. */
export interface OriginatePlan {
	callUuid: string
	jobUuid: string
	user: {
		legUuid: string
		/** How the device is rung: the template of the settings with the extension, or a gateway with a number. */
		target: { kind: 'sip', template: string, address: string, domain: string | undefined } | { kind: 'phone', gateway: string, number: string }
		/** Shown on the user's phone. */
		callerId: string | undefined
		ringTimeoutSec: number
	}
	destination: DestinationPlan
}

/** How a destination is called. */
export interface DestinationPlan {
	/** E.164. */
	number: string
	/** Keys that are pressed once it has answered: `0-9*#`, and `,` for a pause of two seconds. */
	extension?: string
	/** One leg for each gateway, in the order in which they are tried. */
	legs: { legUuid: string, gateway: string }[]
	/** E.164; undefined = the gateway's own. */
	callerId: string | undefined
	answerTimeoutSec: number
	maxCallSec: number
}

/** Where a destination is transferred to. */
export type TransferPlan = DestinationPlan

/**
 * What became of a command on a call. `refused`: the switch said no. `not_written`: it has certainly not seen it.
 * `unknown`: it may have; nobody repeats it, and the events tell.
 */
export type CommandResult = 'done' | 'refused' | 'not_written' | 'unknown'

/** A place that is kept for one originate, on the node that will dial. */
export interface Slot {
	readonly node: string
	/**
	 * Resolves when its turn has come, at once where nobody waits; early when the signal comes.
	 *
	 * @return whether it had to wait
	 */
	turn(signal?: AbortSignal): Promise<boolean>
	/** It was written, and the switch has answered or will not. */
	answered(): void
	/** Nothing will be dialled: the place is free for others. */
	release(): void
}

/** Why no place can be kept. `away`: no node can be reached; `full`: those that can take no more calls; `pace`: too many wait already. */
export interface NoSlot {
	refused: 'away' | 'full' | 'pace'
	retryAfterSec: number
}

/** Of a switch of several nodes: where an originate goes. */
export interface SlotKeeper {
	/**
	 * Keeps a place on the least busy of the nodes that could dial now. Asks nobody: what is known decides.
	 *
	 * @param isUsable by what the caller knows of the node
	 */
	reserve(isUsable: (node: string) => boolean): Slot | NoSlot
}

/** The telephone switch: one or several nodes. A command names the node that has the call; undefined = not known, so each is asked. */
export interface CallSwitch extends SlotKeeper {
	/** Whether this node can be asked now; of a node that is none of the switch's, and without one, whether any can. */
	isReady(node?: string): boolean
	/**
	 * Writes the originate to a node, once. Resolves when the switch has taken it; what happens next comes as events.
	 *
	 * @throws {OriginateRefused} when it was certainly not, or not successfully, taken
	 * @throws {Error} when nobody can tell: the caller waits for events or asks for the legs, and never repeats
	 */
	originate(plan: OriginatePlan, node: string): Promise<void>
	/** Hangs a leg up. Resolves whether or not the switch knew it. */
	kill(legUuid: string, node?: string): Promise<void>
	/**
	 * Puts a leg on hold, so that the other side does not hear it, or takes it back. Whether it is held is told by events.
	 * `done` does not prove that the switch knows the leg.
	 */
	hold(legUuid: string, isHeld: boolean, node?: string): Promise<CommandResult>
	/**
	 * Sends keys to the party at a leg.
	 *
	 * @param digits of `0`–`9`, `*`, `#`, `A`–`D`, at most 32
	 */
	sendDigits(legUuid: string, digits: string, node?: string): Promise<CommandResult>
	/** Joins the party at a leg to another destination; the leg it was joined to is hung up by the switch. */
	transfer(legUuid: string, plan: TransferPlan, node?: string): Promise<CommandResult>
	/**
	 * What the switch knows of a leg now; undefined when there is no such channel. Where its node has none, the other nodes
	 * are asked as well: one of them may have taken the call over.
	 *
	 * @throws {Error} when one cannot be asked that might have it
	 */
	look(legUuid: string, node?: string): Promise<LegReport | undefined>
}

/** The originate was not executed, or the switch said no. */
export class OriginateRefused extends Error {
	readonly failure: { cause: Cause, verdict: Verdict }
	/** Nothing was written because the node cannot be reached: another one may get it. */
	readonly mayGoElsewhere: boolean

	constructor(failure: { cause: Cause, verdict: Verdict }, { mayGoElsewhere = false, ...options }: ErrorOptions & { mayGoElsewhere?: boolean } = {}) {
		super('The switch did not take the originate', options)
		this.name = 'OriginateRefused'
		this.failure = failure
		this.mayGoElsewhere = mayGoElsewhere
	}
}

/** Told of what is counted. Must return at once and not throw. */
export interface CallCounters {
	/** A request to call was answered by a new call, or by the one that its key had placed before. */
	placed: (isNew: boolean) => void
	/** The switch has taken an originate, so long after the request. */
	originated: (seconds: number) => void
}

export type SwitchNotice
	= | { type: 'leg', report: LegReport, callUuid?: string, role?: LegRole }
		| { type: 'job', jobUuid: string, at: Date, failure: { cause: Cause, verdict: Verdict } | undefined }

export interface PlaceRequest {
	userId: string
	idempotencyKey: string | undefined
	/** SHA-256 of what was asked for, to tell a repetition from another request with the same key. */
	bodyHash: string
	at: Date
	question: FactsRequest
}

/** What the policy asks the calls table, for one user and one number. */
export interface FactsRequest {
	userId: string
	/** E.164; undefined = no number could be read. */
	number: string | undefined
	country: string | undefined
	at: Date
	/** When the day and the month began that count. */
	dayFrom: Date
	monthFrom: Date
	/** Whether it matters what was spent. */
	isSpendLimited: boolean
}

/** A transfer that passed the rules. */
export interface AdmittedTransfer {
	transition: Transition
	country: string | undefined
	reservedMicros: bigint | undefined
	/** Of what is reserved. */
	currency: string | undefined
}

/** What is so while a call is decided on. */
export interface CallingState {
	facts: CallFacts
	rule: UserRule
	/** How many people whom the user has transferred still talk. */
	handedOver: number
}

export interface HistoryQuery {
	limit: number
	cursor?: string | undefined
	statuses?: CallStatus[] | undefined
	outcomes?: CallOutcome[] | undefined
	direction?: 'outbound' | 'inbound' | undefined
	from?: Date | undefined
	to?: Date | undefined
	/** E.164. */
	number?: string | undefined
	/** Spelt in any case. */
	tag?: string | undefined
	/** The one call that this key stands for. */
	idempotencyKey?: string | undefined
}

/** Where calls are kept. Every change is one transaction with its line in the call's own history. */
export interface CallStore {
	/**
	 * Stores a new call, or finds the one that this key already stands for. `admit` runs while no other call can be
	 * placed, so what it counted still holds when the row is committed.
	 *
	 * @param admit decides with what is so then and makes the call; when it throws, nothing is stored. It holds
	 * up everybody else who places a call, and a database connection: it must not ask this store for anything.
	 * @throws {SipCallError} `idempotency_key_reused`, `call_erased`
	 */
	place(request: PlaceRequest, admit: (state: CallingState) => Promise<Call>): Promise<{ call: Call, isNew: boolean }>
	/**
	 * Stores that a call is to be transferred, while no other call can be placed, so that what was counted still holds.
	 *
	 * @param admit decides; when it throws, nothing is stored
	 * @return undefined when there is no such call
	 */
	admitTransfer(uuid: string, question: FactsRequest, admit: (call: Call, state: CallingState) => Promise<AdmittedTransfer>): Promise<{ call: Call, changed: boolean } | undefined>
	/** Something was spent beside calls. */
	noteSpent(at: Date, micros: bigint): Promise<void>
	/** What the policy asks, without a call being placed. */
	facts(question: FactsRequest): Promise<CallingState>
	/**
	 * Applies a change to the stored call, alone among all who change it.
	 *
	 * @return the call as it is stored now; undefined when there is no such call
	 */
	change(uuid: string, change: (call: Call) => Transition): Promise<{ call: Call, changed: boolean } | undefined>
	find(uuid: string): Promise<Call | undefined>
	/** Those who were transferred and still talk. */
	handedOver(): Promise<HandedOverLeg[]>
	/** One of them has hung up. */
	endHandedOver(legUuid: string): Promise<void>
	/** Ended calls of whose cost the company behind the trunk is to be asked now, oldest first. */
	findCostsDue(now: Date, limit: number): Promise<Call[]>
	/** All calls that are not ended, oldest first. */
	findOpen(): Promise<Call[]>
	history(userId: string, query: HistoryQuery): Promise<{ items: Call[], nextCursor: string | undefined }>
	/**
	 * A user's calls that have changed since a moment, in the order of their change, as they are now.
	 *
	 * @param after where the last page ended
	 */
	changedSince(userId: string, since: Date, after?: { changedAt: Date, uuid: string }): Promise<{ call: Call, changedAt: Date }[]>
	/** A user's calls that are not ended. */
	findOpenOf(userId: string): Promise<Call[]>
	log(uuid: string): Promise<CallLogEntry[]>
	/** The same of many calls, by their uuids. */
	logs(uuids: readonly string[]): Promise<Map<string, CallLogEntry[]>>
}

/** Somebody who was transferred and still talks. */
export interface HandedOverLeg {
	legUuid: string
	/** The switch that it is on. */
	node?: string
}

/** Where changes of calls wait while they cannot be stored; it outlives the process. */
export interface EventSpool {
	/** Resolves when the change is there for good; rejects when it cannot be. */
	append(change: CallChange): Promise<void>
	/** Removes everything of this process. */
	clear(): Promise<void>
	/**
	 * Takes what processes have left that are gone, oldest first, and removes it.
	 *
	 * @param take when it rejects, everything stays
	 */
	takeLeft(take: (change: CallChange) => Promise<void>): Promise<void>
}

/** How often something may be done within a time. */
export interface Quota {
	kind: string
	max: number
	windowSec: number
	/** What counts is no allowance but a suspicion: in memory the full number is counted as well. */
	isFullInMemory?: true
}

/** How many calls a user may start within a time. */
export interface CallQuota extends Quota {
	kind: 'callsPerMinute' | 'callsPerHour' | 'callsPerDay'
}

export interface QuotaRefusal<Kind extends Quota = Quota> {
	quota: Kind
	/** Seconds until the next attempt may be. */
	retryAfterSec: number
}

/** How much of a quota is used. */
export interface QuotaUse<Kind extends Quota = Quota> {
	quota: Kind
	used: number
	/** Seconds until it counts from nothing again; undefined = nothing was counted. */
	resetSec: number | undefined
}

/** Counts attempts: to call, and to sign in. */
export interface CallLimiter {
	/**
	 * Counts one attempt against all quotas, or, when one of them is used up, against none.
	 *
	 * @return of the quotas that are used up the one that lasts longest
	 */
	consume<Kind extends Quota>(userId: string, quotas: readonly Kind[]): Promise<QuotaRefusal<Kind> | undefined>
	/** How much is used, without counting. */
	look<Kind extends Quota>(userId: string, quotas: readonly Kind[]): Promise<QuotaUse<Kind>[]>
	/** As if nothing had been counted. */
	forget(userId: string, quota: Quota): Promise<void>
}

/** Told of every change, after it is stored. */
export type CallListener = (call: Call) => void
