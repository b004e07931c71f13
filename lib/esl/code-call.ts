// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The call that reads out a code: one leg, answered by tones and ended by the switch. docs/adr/0011-code-as-beeps.md
// tells why tones.

import type { CodeCallPlan } from '../calls/device-verification.ts'

import { checked, seconds } from './whitelist.ts'

/** On the one leg of such a call, so that its events and records are told from those of a call. */
export const VERIFICATION_VARIABLE = 'sipcall_verification'

/** The longest code, `0000`, is heard three times within 78 s. */
const LONGEST_SEC = 90

/** Somebody who picks up first says hello. */
const SILENCE_MS = 1_000

/** A long low tone comes before each repetition. */
const BEGINNING = tone(600, 900, 400)
const BEEP_MS = 200
const PAUSE_MS = { afterBeep: 200, afterFifthBeep: 600, afterDigit: 1_500, afterCode: 2_500 } as const
/** Neighbouring digits differ in pitch, so that one hears where the next begins. */
const PITCHES_HZ = [700, 900] as const

/**
 * The whole command: one line, and the header by which the switch names the job.
 *
 * `{variables}sofia/gateway/<name>/<number> m:^:<application>:<argument>^… inline`: what the answered leg executes, one
 * after the other; behind the last one the switch hangs up with NORMAL_CLEARING. The `&application(…)` of an originate
 * cannot hold a tone, whose `)` would end it. No pattern of the whitelist has a `^`, a space or a quote.
 *
 * @throws {EslError} `unsafe_command` when a value does not match its pattern; the value is not repeated
 */
export function codeCallCommand(plan: CodeCallPlan): { line: string, headers: { 'Job-UUID': string } } {
	const variables = [
		`origination_uuid=${checked('uuid', plan.legUuid)}`,
		`originate_timeout=${seconds(plan.ringTimeoutSec)}`,
		// A 183 is no pick-up: the code would be read to a ringing tone.
		'ignore_early_media=true',
		...(plan.callerId === undefined ? [] : [`origination_caller_id_number=${checked('number', plan.callerId)}`]),
		`${VERIFICATION_VARIABLE}=true`,
	]
	const applications = [
		// First, so that the leg ends whatever becomes of the rest, and of us.
		`sched_hangup:+${seconds(LONGEST_SEC)}`,
		`sleep:${SILENCE_MS}`,
		`playback:tone_stream://${tonesOf(plan.code)}`,
	]
	return {
		line: `bgapi originate {${variables.join(',')}}sofia/gateway/${checked('name', plan.gateway)}/${checked('number', plan.number)} m:^:${applications.join('^')} inline`,
		headers: { 'Job-UUID': checked('uuid', plan.jobUuid) },
	}
}

/**
 * A code in libteletone's language, three times: each digit as that many beeps, 0 as ten.
 *
 * @param code four digits
 * @throws {EslError} `unsafe_command`
 */
export function tonesOf(code: string): string {
	const digits = [...checked('code', code)].map(Number)
	const tones = digits.map((digit, place) => {
		const beeps = digit === 0 ? 10 : digit
		const pitch = PITCHES_HZ[place % PITCHES_HZ.length] ?? PITCHES_HZ[0]
		const last = place === digits.length - 1 ? PAUSE_MS.afterCode : PAUSE_MS.afterDigit
		return Array.from({ length: beeps }, (_, index) => {
			const isLast = index === beeps - 1
			return tone(BEEP_MS, isLast ? last : index === 4 ? PAUSE_MS.afterFifthBeep : PAUSE_MS.afterBeep, pitch)
		}).join('')
	})
	return `L=3;${BEGINNING}${tones.join('')}`
}

function tone(ms: number, pauseMs: number, hertz: number): string {
	return `%(${ms},${pauseMs},${hertz})`
}
