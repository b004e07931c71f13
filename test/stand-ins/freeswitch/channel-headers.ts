// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Headers of channel events, in the order and with the names of the recordings. */

import type { Headers } from './event.ts'
import type { Leg, OtherLeg, Profile, Times } from './leg.ts'

import { HEADERS } from './templates.ts'

/** Events that carry no variables (so a filter on a variable drops them). */
const WITHOUT_VARIABLES = new Set(['CHANNEL_CALLSTATE', 'DTMF'])

/** Events whose own headers stand behind all others. */
const OWN_HEADERS_LAST = new Set(['DTMF'])

const TIMES: Readonly<Record<string, keyof Times>> = {
	'Profile-Created-Time': 'created',
	'Channel-Created-Time': 'created',
	'Channel-Answered-Time': 'answered',
	'Channel-Progress-Time': 'progress',
	'Channel-Progress-Media-Time': 'progressMedia',
	'Channel-Hangup-Time': 'hangup',
	'Channel-Transfer-Time': 'transfer',
	'Channel-Bridged-Time': 'bridged',
}

const PROFILE: Readonly<Record<string, keyof Profile>> = {
	'Caller-ID-Name': 'callerName',
	'Caller-ID-Number': 'callerNumber',
	'Orig-Caller-ID-Name': 'origCallerName',
	'Orig-Caller-ID-Number': 'origCallerNumber',
	'Callee-ID-Name': 'calleeName',
	'Callee-ID-Number': 'calleeNumber',
	'Network-Addr': 'networkAddr',
	ANI: 'ani',
	'Destination-Number': 'destination',
}

function profileHeaders(prefix: string, names: readonly string[], seen: Pick<OtherLeg, 'uuid' | 'channelName' | 'profile' | 'times'>, fixed: Readonly<Record<string, string>>): Headers {
	const headers: Headers = []
	for (const name of names) {
		const time = TIMES[name]
		const field = PROFILE[name]
		let value = fixed[name]
		if (time !== undefined) {
			value = String(seen.times[time])
		} else if (field !== undefined) {
			// A caller without a name has no such header.
			value = seen.profile[field] === '' ? undefined : seen.profile[field]
		} else if (name === 'Unique-ID') {
			value = seen.uuid
		} else if (name === 'Channel-Name') {
			value = seen.channelName
		}
		if (value !== undefined) {
			headers.push([`${prefix}${name}`, value])
		}
	}
	return headers
}

function stateHeaders(leg: Leg): Headers {
	const own: Readonly<Record<string, string>> = {
		'Channel-State': leg.state,
		'Channel-Call-State': leg.callState,
		'Channel-State-Number': String(leg.stateNumber),
		'Channel-Name': leg.name,
		'Unique-ID': leg.uuid,
		'Channel-HIT-Dialplan': String(leg.hitDialplan),
		'Channel-Call-UUID': leg.callUuid,
		'Answer-State': leg.answerState,
	}
	const headers: Headers = []
	for (const [name, recorded] of Object.entries(HEADERS.channel)) {
		if (!/-(?:Read|Write)-Codec-/.test(name) || leg.hasMedia) {
			headers.push([name, own[name] ?? recorded])
		}
		if (name === 'Channel-HIT-Dialplan' && leg.presenceId !== undefined) {
			headers.push(['Channel-Presence-ID', leg.presenceId])
		}
		if (name === 'Answer-State' && leg.ending !== undefined) {
			headers.push(['Hangup-Cause', leg.ending.cause])
		}
	}
	return headers
}

/** `variable_…` for all variables of the leg. */
export function variableHeaders(leg: Leg): Headers {
	return [...leg.variables].map(([name, value]) => [`variable_${name}`, value])
}

/**
 * All headers of a channel event behind the common ones.
 *
 * @param leg the channel
 * @param event its name
 * @param own headers that only this event has, such as `Bridge-A-Unique-ID`
 */
export function channelHeaders(leg: Leg, event: string, own: Headers = []): Headers {
	const fixed = HEADERS.caller
	const otherLeg = leg.other === undefined
		? []
		: [
			['Other-Type', leg.other.type],
			...profileHeaders('Other-Leg-', HEADERS.otherLeg, leg.other, { ...fixed, 'Logical-Direction': 'inbound' }),
		] satisfies Headers
	return [
		...(OWN_HEADERS_LAST.has(event) ? [] : own),
		...stateHeaders(leg),
		...profileHeaders('Caller-', Object.keys(fixed), { uuid: leg.uuid, channelName: leg.name, profile: leg.profile, times: leg.times }, fixed),
		...otherLeg,
		...(WITHOUT_VARIABLES.has(event) ? [] : variableHeaders(leg)),
		...(OWN_HEADERS_LAST.has(event) ? own : []),
	]
}
