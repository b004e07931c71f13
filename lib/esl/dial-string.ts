// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The one place where dial strings are put together. FreeSWITCH's command line is code: a number may open a shell, a
// comma adds a leg, an `@` leaves the trunk. So nothing is escaped here; every value goes through whitelist.ts.

import type { DestinationPlan, OriginatePlan } from '../calls/ports.ts'

import { CALL_VARIABLE, LEG_VARIABLE } from './event-parser.ts'
import { checked, isOfKind, seconds, unsafe } from './whitelist.ts'

/**
 * Causes of a B leg that speak of the person called, not of the gateway: busy is busy whichever way one calls, so the next
 * gateway is not tried. (`fail_on_single_reject` takes any text in which the cause's name is found; a comma would end the
 * variable.) CALL_REJECTED and UNALLOCATED_NUMBER may be a trunk's own refusal, which the switch cannot tell apart: who has
 * declined is spared by `isRungAgain`.
 */
const FINAL_CAUSES = ['USER_BUSY', 'NO_ANSWER', 'NO_USER_RESPONSE', 'INVALID_NUMBER_FORMAT', 'NUMBER_CHANGED', 'ORIGINATOR_CANCEL', 'ALLOTTED_TIMEOUT']

/** Where nobody follows the legs, nobody could spare them either: then no means no. */
export const FINAL_CAUSES_UNFOLLOWED = [...FINAL_CAUSES, 'CALL_REJECTED']

/** Sends an extension's keys once a destination has answered. */
export const EXTENSION_VARIABLE = 'execute_on_answer_extension'

type Variable = readonly [name: string, value: string | undefined]

/** Two seconds in `send_dtmf`, as long as a comma lasts on a mobile phone. */
const PAUSE = 'WW'

/** A gateway that has not even answered 18x after this long is passed over for the next one. */
const GATEWAY_PATIENCE_SEC = 10

/** How a `sip` device may be rung; checked when an admin saves it, and again in every originate. */
export function isDialTemplate(template: string): boolean {
	return isOfKind('template', template)
}

export function isGatewayName(name: string): boolean {
	return isOfKind('name', name)
}

export function isDomain(domain: string): boolean {
	return isOfKind('domain', domain)
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
	const a = variables([
		['origination_uuid', checked('uuid', user.legUuid)],
		['sip_invite_call_id', user.target.kind === 'phone' ? checked('uuid', user.legUuid) : undefined],
		['originate_timeout', seconds(user.ringTimeoutSec)],
		// A 183 from a phone behind the trunk is no pick-up: without this it would start the bridge.
		['ignore_early_media', 'true'],
		['origination_caller_id_number', user.callerId === undefined ? undefined : checked('number', user.callerId)],
		['hangup_after_bridge', 'true'],
		[CALL_VARIABLE, callUuid],
		[LEG_VARIABLE, 'a'],
	])
	const onward = destinationDialString(destination, [
		// The switch itself ends the call at the longest length, so that it does not depend on us being alive.
		['execute_on_answer', `'sched_hangup +${seconds(destination.maxCallSec)} ALLOTTED_TIMEOUT'`],
		[CALL_VARIABLE, callUuid],
		[LEG_VARIABLE, 'b'],
		// Whatever begins with `execute_on_answer` is run (`switch_channel_execute_on`), each by itself.
		[EXTENSION_VARIABLE, destination.extension === undefined ? undefined : `'send_dtmf ${extensionKeys(destination.extension)}'`],
	])
	return `{${a}}${deviceDialString(user.target)} &bridge(${onward})`
}

/**
 * How a destination is called, as the argument of `bridge`: `{common variables}[of this leg]sofia/gateway/<name>/<number>|…`
 *
 * @param own further variables of these legs; their values are the caller's to check
 * @param finalCauses after which the next gateway is not tried
 * @throws {EslError} `unsafe_command` when a value does not match its pattern; the value is not repeated
 */
export function destinationDialString(destination: DestinationPlan, own: readonly Variable[], finalCauses: readonly string[] = FINAL_CAUSES): string {
	const number = checked('number', destination.number)
	const hasChoice = destination.legs.length > 1
	const common = variables([
		...(hasChoice
			? [
					// Beside fail_on_single_reject with causes, FreeSWITCH 1.10.12 never acts on originate_timeout: the leg rang for
					// ever on a real switch. The timers of the legs themselves hold (`check_per_channel_timeouts`).
					['leg_timeout', seconds(destination.answerTimeoutSec)],
					['leg_progress_timeout', String(GATEWAY_PATIENCE_SEC)],
					['fail_on_single_reject', finalCauses.join(':')],
				] as const
			: [
					...ownIds(destination.legs[0]?.legUuid ?? ''),
					['originate_timeout', seconds(destination.answerTimeoutSec)],
				] as const),
		['origination_caller_id_number', destination.callerId === undefined ? undefined : checked('number', destination.callerId)],
		...own,
	])
	if (destination.legs.length === 0) {
		throw unsafe('gateway')
	}
	const legs = destination.legs.map(({ legUuid, gateway }) => {
		const ofLeg = hasChoice ? `[${variables(ownIds(legUuid))}]` : ''
		return `${ofLeg}sofia/gateway/${checked('name', gateway)}/${number}`
	})
	return `{${common}}${legs.join('|')}`
}

/**
 * How a user's own phone is rung.
 *
 * @throws {EslError} `unsafe_command`
 */
export function deviceDialString(target: OriginatePlan['user']['target']): string {
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

/** Our uuid is the leg's `Call-ID` as well (`sofia_glue_do_invite`): under it the company behind the trunk has it in its books. */
function ownIds(legUuid: string): Variable[] {
	const uuid = checked('uuid', legUuid)
	return [['origination_uuid', uuid], ['sip_invite_call_id', uuid]]
}

function variables(pairs: readonly Variable[]): string {
	return pairs.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`).join(',')
}

/**
 * The argument of `send_dtmf`. One pause comes first in any case: who answers must be ready to listen. The switch queues
 * pauses and keys with the leg's media (`CC_QUEUEABLE_DTMF_DELAY`), so nobody waits and a hang-up ends them.
 */
export function extensionKeys(extension: string): string {
	return `${PAUSE}${checked('keys', extension).replaceAll(',', PAUSE)}`
}
