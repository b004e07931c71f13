// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The one place where an originate is put together. FreeSWITCH's command line is code: a number may open a shell, a
// comma adds a leg, an `@` leaves the trunk. So nothing is escaped here; every value must match a narrow pattern of
// its own, and what does not match is a fault of the caller, whoever typed it.

import type { OriginatePlan } from '../calls/ports.ts'

import { EslError } from './esl-error.ts'
import { CALL_VARIABLE, LEG_VARIABLE } from './event-parser.ts'

const PATTERNS = {
	number: /^\+?[0-9]{3,15}$/,
	uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
	name: /^[A-Za-z0-9_.-]{1,64}$/,
	extension: /^[A-Za-z0-9_.+-]{1,64}$/,
	domain: /^[A-Za-z0-9.-]{1,253}$/,
	/** A way to ring an extension: an endpoint, a path of names, and the two places to fill in, each at most once. */
	template: /^(?:user|sofia\/[A-Za-z0-9_.-]{1,64})\/(?:sip:)?\{address\}(?:@(?:\{domain\}|[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?))?$/,
	seconds: /^[1-9][0-9]{0,5}$/,
	/** What is pressed on the destination's line; a comma is a pause. */
	keys: /^(?=,*[0-9*#])[0-9*#,]{1,20}$/,
} as const

/**
 * Causes of a B leg that speak of the destination, not of the gateway: the person is busy or the number does not
 * exist whichever way one calls, so the next gateway is not tried. (`fail_on_single_reject` takes any text in which
 * the cause's name is found; a comma would end the variable.)
 */
const FINAL_CAUSES = ['USER_BUSY', 'NO_ANSWER', 'NO_USER_RESPONSE', 'CALL_REJECTED', 'UNALLOCATED_NUMBER', 'INVALID_NUMBER_FORMAT', 'NUMBER_CHANGED', 'ORIGINATOR_CANCEL', 'ALLOTTED_TIMEOUT'].join(':')

/** Two seconds in `send_dtmf`, as long as a comma lasts on a mobile phone. */
const PAUSE = 'WW'

/** A gateway that has not even answered 18x after this long is passed over for the next one. */
const GATEWAY_PATIENCE_SEC = 10

/** How a `sip` device may be rung; checked when an admin saves it, and again in every originate. */
export function isDialTemplate(template: string): boolean {
	return PATTERNS.template.test(template)
}

export function isGatewayName(name: string): boolean {
	return PATTERNS.name.test(name)
}

export function isDomain(domain: string): boolean {
	return PATTERNS.domain.test(domain)
}

/**
 * The whole command: one line, and the header by which the switch names the job.
 *
 * @throws {EslError} `unsafe_command` when a value does not match its pattern; the value is not repeated
 */
export function originateCommand(plan: OriginatePlan): { line: string, headers: { 'Job-UUID': string } } {
	return { line: `bgapi originate ${buildOriginate(plan)}`, headers: { 'Job-UUID': checked('uuid', plan.jobUuid) } }
}

/**
 * The argument of `bgapi originate`: rings the A leg, and when it is answered bridges it to the destination.
 *
 * `{A variables}device &bridge({common B variables}[of this leg]sofia/gateway/<name>/<number>|…)`
 *
 * @throws {EslError} `unsafe_command` when a value does not match its pattern; the value is not repeated
 */
export function buildOriginate(plan: OriginatePlan): string {
	const callUuid = checked('uuid', plan.callUuid)
	const { user, destination } = plan
	const number = checked('number', destination.number)
	const a = variables([
		['origination_uuid', checked('uuid', user.legUuid)],
		['originate_timeout', seconds(user.ringTimeoutSec)],
		// A 183 from a phone behind the trunk is no pick-up: without this it would start the bridge.
		['ignore_early_media', 'true'],
		['origination_caller_id_number', user.callerId === undefined ? undefined : checked('number', user.callerId)],
		['hangup_after_bridge', 'true'],
		[CALL_VARIABLE, callUuid],
		[LEG_VARIABLE, 'a'],
	])
	const hasChoice = destination.legs.length > 1
	const common = variables([
		...(hasChoice
			? [
					// Beside fail_on_single_reject with causes, FreeSWITCH 1.10.12 never acts on originate_timeout: the leg rang for
					// ever on a real switch. The timers of the legs themselves hold (`check_per_channel_timeouts`).
					['leg_timeout', seconds(destination.answerTimeoutSec)],
					['leg_progress_timeout', String(GATEWAY_PATIENCE_SEC)],
					['fail_on_single_reject', FINAL_CAUSES],
				] as const
			: [
					['origination_uuid', checked('uuid', destination.legs[0]?.legUuid ?? '')],
					['originate_timeout', seconds(destination.answerTimeoutSec)],
				] as const),
		['origination_caller_id_number', destination.callerId === undefined ? undefined : checked('number', destination.callerId)],
		// The switch itself ends the call at the longest length, so that it does not depend on us being alive.
		['execute_on_answer', `'sched_hangup +${seconds(destination.maxCallSec)} ALLOTTED_TIMEOUT'`],
		// Whatever begins with `execute_on_answer` is run (`switch_channel_execute_on`), each by itself.
		['execute_on_answer_extension', destination.extension === undefined ? undefined : `'send_dtmf ${keys(destination.extension)}'`],
		[CALL_VARIABLE, callUuid],
		[LEG_VARIABLE, 'b'],
	])
	if (destination.legs.length === 0) {
		throw unsafe('gateway')
	}
	const legs = destination.legs.map(({ legUuid, gateway }) => {
		const own = hasChoice ? `[origination_uuid=${checked('uuid', legUuid)}]` : ''
		return `${own}sofia/gateway/${checked('name', gateway)}/${number}`
	})
	return `{${a}}${deviceDialString(user.target)} &bridge({${common}}${legs.join('|')})`
}

function deviceDialString(target: OriginatePlan['user']['target']): string {
	if (target.kind === 'phone') {
		return `sofia/gateway/${checked('name', target.gateway)}/${checked('number', target.number)}`
	}
	const template = checked('template', target.template)
	const address = checked('extension', target.address)
	if (target.domain !== undefined) {
		return template.replace('{address}', () => address).replace('{domain}', () => checked('domain', target.domain ?? ''))
	}
	// `user/1000` without a domain means FreeSWITCH's own; other endpoints have no such default.
	if (template.includes('{domain}') && !template.startsWith('user/')) {
		throw unsafe('domain')
	}
	return template.replace('{address}', () => address).replace('@{domain}', '')
}

function variables(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
	return pairs.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`).join(',')
}

/**
 * The argument of `send_dtmf`. One pause comes first in any case: who answers must be ready to listen. The switch queues
 * pauses and keys with the leg's media (`CC_QUEUEABLE_DTMF_DELAY`), so nobody waits and a hang-up ends them.
 */
function keys(extension: string): string {
	return `${PAUSE}${checked('keys', extension).replaceAll(',', PAUSE)}`
}

function seconds(value: number): string {
	return checked('seconds', String(value))
}

function checked(kind: keyof typeof PATTERNS, value: string): string {
	if (!PATTERNS[kind].test(value)) {
		throw unsafe(kind)
	}
	return value
}

function unsafe(kind: string): EslError {
	return new EslError('unsafe_command', `A ${kind} is not of the form that may stand in a dial string`)
}
