// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What SIPCall writes to call a phone with a code, read back by the model of FreeSWITCH's own tokenizer and by a listener.

import type { CodeCallPlan } from '../../../lib/calls/device-verification.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeCallCommand, tonesOf } from '../../../lib/esl/code-call.ts'
import { encodeCommand } from '../../../lib/esl/safe-command.ts'
import { readInline } from '../../stand-ins/freeswitch/inline.ts'
import { parseOriginate } from '../../stand-ins/freeswitch/tokenizer.ts'
import { countBeeps, durationOf, readTones } from '../../stand-ins/freeswitch/tones.ts'

const LEG = '11111111-1111-4111-8111-111111111111'
const JOB = '21111111-1111-4111-8111-111111111111'
const PLAN: CodeCallPlan = { legUuid: LEG, jobUuid: JOB, gateway: 'trunk', number: '+4915123456701', callerId: '+4930999999', ringTimeoutSec: 30, code: '1203' }

/** Everything that may ever stand in the command, by its very bytes. */
const WHITELIST = /^bgapi originate \{[a-z_0-9=,+-]+\}sofia\/gateway\/[A-Za-z0-9_.-]{1,64}\/\+?[0-9]{3,15} m:\^:sched_hangup:\+90\^sleep:1000\^playback:tone_stream:\/\/L=3;(?:%\([0-9]{3},[0-9]{3,4},[0-9]{3}\))+ inline\nJob-UUID: [0-9a-f-]{36}\n\n$/

const seeds = ['\n', '\r', '\0', '\t', '\n\n', '\u2028', '\'', '"', '\\', '{', '}', '[', ']', '(', ')', '${system(id)}', '@evil.example', ',', '|', ':_:', '^^:', '^', '^system:id', '=', ';', '&', '$', '%', ' ', ' inline', 'ä', '٣', '\uD800', ',api_hangup_hook=system id', '}null/x &park() ', '0', '+', '']
const hostile = fc.oneof(
	fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
	fc.tuple(fc.constantFrom('+4930123456', 'trunk', '1203', LEG), fc.constantFrom(...seeds), fc.nat(40)).map(([good, bad, at]) => good.slice(0, at) + bad + good.slice(at)),
	fc.string({ unit: 'binary', maxLength: 60 }),
)

function bytesOf(plan: CodeCallPlan): string | undefined {
	try {
		const { line, headers } = codeCallCommand(plan)
		return encodeCommand(line, headers)
	} catch (error) {
		expect(error).toMatchObject({ name: 'EslError', code: 'unsafe_command' })
		return undefined
	}
}

describe('the call with a code', () => {
	it('is spelt as FreeSWITCH 1.10.12 plays it', () => {
		const { line, headers } = codeCallCommand({ ...PLAN, code: '2111' })
		const beeps = '%(200,200,700)%(200,1500,700)%(200,1500,900)%(200,1500,700)%(200,2500,900)'
		expect(line).toBe(`bgapi originate {origination_uuid=${LEG},originate_timeout=30,ignore_early_media=true,origination_caller_id_number=+4930999999,sipcall_verification=true}sofia/gateway/trunk/+4915123456701 m:^:sched_hangup:+90^sleep:1000^playback:tone_stream://L=3;%(600,900,400)${beeps} inline`)
		expect(headers).toEqual({ 'Job-UUID': JOB })
	})

	it('says each of the 10,000 codes three times to whoever counts beeps, and is over before the switch ends it after 90 s', () => {
		for (let number = 0; number < 10_000; number++) {
			const code = String(number).padStart(4, '0')
			const beeps = readTones(tonesOf(code))
			expect(countBeeps(beeps)).toEqual([code, code, code])
			expect(durationOf(beeps)).toBeLessThan(80_000)
		}
	})

	it('sounds alike within a digit, unlike its neighbours, and rests after the fifth beep', () => {
		const [, ...beeps] = readTones(tonesOf('7011')).slice(0, 20)
		expect(beeps.slice(0, 7).map(({ hertz }) => hertz)).toEqual(Array.from({ length: 7 }, () => 700))
		expect(beeps.slice(7, 17).map(({ hertz }) => hertz)).toEqual(Array.from({ length: 10 }, () => 900))
		expect(beeps.slice(0, 7).map(({ pauseMs }) => pauseMs)).toEqual([200, 200, 200, 200, 600, 200, 1500])
	})

	it('means to FreeSWITCH’s tokenizer exactly what was planned, for 3,000 plans', () => {
		const number = fc.stringMatching(/^\+?[0-9]{3,15}$/)
		const plans: fc.Arbitrary<CodeCallPlan> = fc.record({
			legUuid: fc.uuid(),
			jobUuid: fc.uuid(),
			gateway: fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/).filter((name) => !name.toLowerCase().includes('mod_event_socket')),
			number,
			callerId: fc.option(number, { nil: undefined }),
			ringTimeoutSec: fc.integer({ min: 1, max: 999_999 }),
			code: fc.stringMatching(/^[0-9]{4}$/),
		})
		fc.assert(fc.property(plans, (plan) => {
			const parsed = parseOriginate(codeCallCommand(plan).line.replace(/^bgapi originate /, ''))
			expect(parsed.aLegs).toEqual([{
				dialString: `sofia/gateway/${plan.gateway}/${plan.number}`,
				gateway: plan.gateway,
				number: plan.number,
				group: 0,
				variables: {
					origination_uuid: plan.legUuid,
					originate_timeout: String(plan.ringTimeoutSec),
					ignore_early_media: 'true',
					...(plan.callerId === undefined ? {} : { origination_caller_id_number: plan.callerId }),
					sipcall_verification: 'true',
				},
			}])
			expect(parsed).toMatchObject({ dialplan: 'inline', context: 'default', legs: [], expansions: [] })
			expect(readInline(parsed.extension ?? '')).toEqual([
				{ name: 'sched_hangup', argument: '+90' },
				{ name: 'sleep', argument: '1000' },
				{ name: 'playback', argument: `tone_stream://${tonesOf(plan.code)}` },
			])
			expect(bytesOf(plan)).toMatch(WHITELIST)
		}), { numRuns: 3_000 })
	})

	it('lets nothing else onto the line: 6,000 hostile values in every place', () => {
		const field = fc.constantFrom('legUuid', 'jobUuid', 'gateway', 'number', 'callerId', 'code')
		fc.assert(fc.property(field, hostile, (name, value) => {
			const bytes = bytesOf({ ...PLAN, [name]: value })
			if (bytes !== undefined) {
				expect(bytes).toMatch(WHITELIST)
			}
		}), { numRuns: 6_000 })
		fc.assert(fc.property(fc.constantFrom(0, -1, 1.5, Number.NaN, Infinity, 1e6, 1e21), (ringTimeoutSec) => bytesOf({ ...PLAN, ringTimeoutSec }) === undefined))
	})

	it.each(['', '123', '12345', '12 4', '12a4', '+123', '１２３４', '٣٣٣٣', '1234\n', '-123'])('refuses %j as a code, and does not repeat it', (code) => {
		expect(() => tonesOf(code)).toThrow('A code is not of the form that may stand in a command')
	})
})
