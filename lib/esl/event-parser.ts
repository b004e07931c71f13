// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The only border between FreeSWITCH's words and ours: a wire event in, a typed event out. Pure.

import type { LegReport } from '../calls/call-events.ts'
import type { LegEnd, LegRole } from '../calls/call.ts'
import type { ExplainFailure } from '../calls/trunk-provider.ts'
import type { WireEvent } from './wire-event.ts'

import { causeOf, isCauseName, verdictOf } from './hangup-causes.ts'

/** What the events connection subscribes to: enough to follow a call, and nothing that costs without telling more. */
export const SUBSCRIPTION = [
	'CHANNEL_CREATE',
	'CHANNEL_PROGRESS',
	'CHANNEL_PROGRESS_MEDIA',
	'CHANNEL_ANSWER',
	'CHANNEL_HOLD',
	'CHANNEL_UNHOLD',
	'CHANNEL_HANGUP_COMPLETE',
	'BACKGROUND_JOB',
] as const

/** Told when a gateway's state changes (`sofia_reg_fire_custom_gateway_state_event`). */
export const GATEWAY_SUBCLASS = 'sofia::gateway_state'

/** Our own channel variables on both legs: they tie a channel to its call when the switch gave it another uuid. */
export const CALL_VARIABLE = 'sipcall_call'
export const LEG_VARIABLE = 'sipcall_leg'

export type SwitchEvent
	= | { type: 'leg', report: LegReport, callUuid?: string, role?: LegRole }
		| { type: 'job', jobUuid: string, at: Date, text: string }
		| { type: 'heartbeat', coreUuid: string, sessionsPerSec?: number, maxSessions?: number, sessions?: number }
		| { type: 'gateway', name: string, isUp: boolean }
		| { type: 'shutdown' }

const LEG_EVENTS: ReadonlySet<string> = new Set(SUBSCRIPTION.filter((name) => name.startsWith('CHANNEL_')))

/** For causes of attempts of which no channel is known. */
const NOT_REACHED = { progressed: false, answered: false }

/** `Channel-Call-State` of a channel that was answered; the others say nothing of being held. */
const HOLD_STATES: Readonly<Record<string, { held: boolean }>> = { HELD: { held: true }, UNHELD: { held: false }, ACTIVE: { held: false } }

/** A week: longer than any call may last. A number beyond it is none of the switch's, and would not fit its column. */
const LONGEST_TALK_MS = 7 * 86_400_000

/** The phone at this leg said goodbye or no (mod_sofia's `sip_hangup_disposition`). */
const BY_PARTY = new Set(['recv_bye', 'recv_cancel', 'recv_refuse'])

/**
 * Reads a wire event.
 *
 * @param event JSON or plain, as the switch sent it
 * @param now when it arrived. The switch's own clock serves only for differences between its own times, so a switch
 * whose clock is wrong by minutes still gives the right order and duration.
 * @param explainFailure what the company behind the trunk means by a refusal
 * @return undefined for events that tell nothing about a call
 */
export function parseEvent(event: WireEvent, now: Date, explainFailure?: ExplainFailure): SwitchEvent | undefined {
	const name = event['Event-Name']
	if (name === undefined) {
		return undefined
	}
	if (LEG_EVENTS.has(name)) {
		return parseLeg(event, name, now, explainFailure)
	}
	switch (name) {
		case 'BACKGROUND_JOB': {
			const jobUuid = event['Job-UUID']
			return jobUuid === undefined ? undefined : { type: 'job', jobUuid, at: now, text: (event._body ?? '').trim() }
		}
		case 'HEARTBEAT':
			return {
				type: 'heartbeat',
				coreUuid: event['Core-UUID'] ?? '',
				...optionalNumber('sessionsPerSec', event['Session-Per-Sec']),
				...optionalNumber('maxSessions', event['Max-Sessions']),
				...optionalNumber('sessions', event['Session-Count']),
			}
		case 'CUSTOM': {
			const gateway = event.Gateway
			const status = event['Ping-Status']
			// As in `sofia status gateway`: whatever the registration's state, an INVITE is refused exactly when this is not UP.
			return event['Event-Subclass'] !== GATEWAY_SUBCLASS || gateway === undefined || status === undefined ? undefined : { type: 'gateway', name: gateway, isUp: status === 'UP' }
		}
		case 'SHUTDOWN':
			return { type: 'shutdown' }
		default:
			return undefined
	}
}

/**
 * Reads the answer of `uuid_dump <uuid> json`: the same headers as an event of that channel.
 *
 * @return undefined when the channel does not exist or the answer is no JSON object
 */
export function parseChannelDump(text: string, legUuid: string, now: Date): LegReport | undefined {
	try {
		const dump: unknown = JSON.parse(text)
		if (typeof dump !== 'object' || dump === null || Array.isArray(dump)) {
			return undefined
		}
		const event = { ...dump as WireEvent, 'Unique-ID': legUuid }
		const parsed = parseLeg(event, 'CHANNEL_DATA', now)
		return parsed?.type === 'leg' ? parsed.report : undefined
	} catch {
		return undefined
	}
}

/**
 * The cause in the text of an originate job: `-ERR USER_BUSY`, `-USAGE: …`.
 *
 * @param text the job's body, trimmed
 * @return undefined for `+OK`
 */
export function parseJobFailure(text: string): Pick<LegEnd, 'cause' | 'verdict'> | undefined {
	if (text.startsWith('+OK')) {
		return undefined
	}
	const word = /^-ERR ([A-Z_]+)/.exec(text)?.[1]
	const cause = causeOf(word !== undefined && isCauseName(word) ? word : 'NORMAL_UNSPECIFIED')
	return { cause, verdict: word === undefined || !isCauseName(word) ? 'misconfigured' : verdictOf(cause, NOT_REACHED) }
}

function parseLeg(event: WireEvent, name: string, now: Date, explainFailure?: ExplainFailure): SwitchEvent | undefined {
	const legUuid = event['Unique-ID']
	if (legUuid === undefined || legUuid === '') {
		return undefined
	}
	const at = (micros: string | undefined) => toLocalTime(micros, event['Event-Date-Timestamp'], now)
	const progress = at(event['Caller-Channel-Progress-Time'])
	const media = at(event['Caller-Channel-Progress-Media-Time'])
	const answered = at(event['Caller-Channel-Answered-Time']) ?? (name === 'CHANNEL_ANSWER' ? now : undefined)
	const rang = earliest(progress, media) ?? (name === 'CHANNEL_PROGRESS' || name === 'CHANNEL_PROGRESS_MEDIA' ? now : undefined)
	const report: LegReport = {
		type: 'leg',
		legUuid,
		at: now,
		...(rang === undefined ? {} : { ringingAt: rang }),
		...(answered === undefined ? {} : { answeredAt: answered }),
		...heldOf(event, name),
		...(name === 'CHANNEL_HANGUP_COMPLETE' ? { end: parseEnd(event, { progressed: rang !== undefined, answered: answered !== undefined }, explainFailure) } : {}),
	}
	const callUuid = event[`variable_${CALL_VARIABLE}`]
	const role = event[`variable_${LEG_VARIABLE}`]
	return {
		type: 'leg',
		report,
		...(callUuid === undefined ? {} : { callUuid }),
		...(role === 'a' ? { role: 'user' } : role === 'b' ? { role: 'destination' } : {}),
	}
}

/** Told by the two events, and by what a channel says of itself when it is asked. */
function heldOf(event: WireEvent, name: string): Pick<LegReport, 'held'> {
	switch (name) {
		case 'CHANNEL_HOLD':
			return { held: true }
		case 'CHANNEL_UNHOLD':
			return { held: false }
		case 'CHANNEL_DATA':
			return HOLD_STATES[event['Channel-Call-State'] ?? ''] ?? {}
		default:
			return {}
	}
}

function parseEnd(event: WireEvent, reached: { progressed: boolean, answered: boolean }, explainFailure?: ExplainFailure): LegEnd {
	const cause = causeOf(event.variable_hangup_cause ?? event['Hangup-Cause'] ?? 'NONE', sipStatus(event))
	const onward = event.variable_originate_disposition ?? event.variable_last_bridge_hangup_cause
	const refusal = reached.answered ? undefined : explainFailure?.({ status: cause.sip, phrase: event.variable_sip_invite_failure_phrase ?? event.variable_sip_hangup_phrase })
	const bridgedMs = microsBetween(event.variable_bridge_uepoch, event.variable_end_uepoch)
	return {
		cause: refusal === undefined ? cause : { ...cause, carrier: refusal.code },
		verdict: refusal?.verdict ?? verdictOf(cause, reached),
		hungUpBy: BY_PARTY.has(event.variable_sip_hangup_disposition ?? '') ? 'party' : 'switch',
		talkMs: milliseconds(event.variable_billmsec),
		...(onward === undefined || onward === 'SUCCESS' || !isCauseName(onward)
			? {}
			: { onward: { cause: causeOf(onward), verdict: verdictOf(causeOf(onward), NOT_REACHED) } }),
		...(onward === 'SUCCESS' && bridgedMs !== undefined ? { bridgedMs } : {}),
	}
}

/** `sip_term_status`, or the `sip:486` of `proto_specific_hangup_cause`. */
function sipStatus(event: WireEvent): number | undefined {
	const text = event.variable_sip_term_status ?? /^sip:(\d{3})$/.exec(event.variable_proto_specific_hangup_cause ?? '')?.[1]
	return text === undefined ? undefined : Number(text)
}

/** A time of the switch (microseconds since 1970, `0` = did not happen) on our own clock. */
function toLocalTime(micros: string | undefined, eventMicros: string | undefined, now: Date): Date | undefined {
	const time = Number(micros ?? 0)
	if (!Number.isFinite(time) || time <= 0) {
		return undefined
	}
	const eventTime = Number(eventMicros ?? 0)
	const agoMs = eventTime > 0 ? Math.max(0, Math.round((eventTime - time) / 1000)) : 0
	// No channel is older than the calendar: a number beyond it is none of the switch's.
	return new Date(agoMs > now.getTime() ? now : now.getTime() - agoMs)
}

function milliseconds(text: string | undefined): number {
	const value = Number(text ?? 0)
	return Number.isSafeInteger(value) && value > 0 ? Math.min(value, LONGEST_TALK_MS) : 0
}

function microsBetween(from: string | undefined, to: string | undefined): number | undefined {
	const [start, end] = [Number(from ?? 0), Number(to ?? 0)]
	return Number.isSafeInteger(end) && start > 0 && end >= start ? Math.min(Math.round((end - start) / 1000), LONGEST_TALK_MS) : undefined
}

function earliest(a: Date | undefined, b: Date | undefined): Date | undefined {
	return a === undefined || b === undefined ? a ?? b : a < b ? a : b
}

function optionalNumber<Key extends string>(key: Key, text: string | undefined): Partial<Record<Key, number>> {
	const value = Number(text)
	return text === undefined || text === '' || !Number.isFinite(value) ? {} : { [key]: value } as Record<Key, number>
}
