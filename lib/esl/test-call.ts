// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The call by which an admin tries a phone: two beeps, and then whoever speaks hears themselves. It is spelt as the call
// with a code is, and for the same reasons (code-call.ts).

import type { TestCallPlan } from '../calls/test-calls.ts'

import { TEST_CALL_SEC } from '../calls/test-calls.ts'
import { deviceDialString } from './dial-string.ts'
import { checked, seconds } from './whitelist.ts'

/** On the one leg of such a call. */
const TEST_VARIABLE = 'sipcall_test'

const BEEPS = '%(200,200,700)%(200,400,900)'

/**
 * The whole command: one line, and the header by which the switch names the job.
 *
 * @throws {EslError} `unsafe_command` when a value does not match its pattern; the value is not repeated
 */
export function testCallCommand(plan: TestCallPlan): { line: string, headers: { 'Job-UUID': string } } {
	const variables = [
		`origination_uuid=${checked('uuid', plan.legUuid)}`,
		`originate_timeout=${seconds(plan.ringTimeoutSec)}`,
		'ignore_early_media=true',
		...(plan.callerId === undefined ? [] : [`origination_caller_id_number=${checked('number', plan.callerId)}`]),
		`${TEST_VARIABLE}=true`,
	]
	const applications = [
		// First, so that the leg ends whatever becomes of the rest, and of us.
		`sched_hangup:+${seconds(TEST_CALL_SEC)}`,
		'sleep:500',
		`playback:tone_stream://${BEEPS}`,
		'echo',
	]
	return {
		line: `bgapi originate {${variables.join(',')}}${deviceDialString(plan.target)} m:^:${applications.join('^')} inline`,
		headers: { 'Job-UUID': checked('uuid', plan.jobUuid) },
	}
}
