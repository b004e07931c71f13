// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What SIPCall writes for a test call, read back by the model of FreeSWITCH's own tokenizer.

import type { TestCallPlan } from '../../../lib/calls/test-calls.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCommand } from '../../../lib/esl/safe-command.ts'
import { testCallCommand } from '../../../lib/esl/test-call.ts'
import { readInline } from '../../stand-ins/freeswitch/inline.ts'
import { parseOriginate } from '../../stand-ins/freeswitch/tokenizer.ts'

const LEG = '11111111-1111-4111-8111-111111111111'
const JOB = '21111111-1111-4111-8111-111111111111'
const SIP: TestCallPlan = { legUuid: LEG, jobUuid: JOB, target: { kind: 'sip', template: 'user/{address}@{domain}', address: '1000', domain: undefined }, callerId: undefined, ringTimeoutSec: 30 }

/** Everything that may ever stand in the command, by its very bytes. */
const WHITELIST = /^bgapi originate \{[a-z_0-9=,+-]+\}(?:sofia\/gateway\/[A-Za-z0-9_.-]{1,64}\/\+?[0-9]{3,15}|[a-z]+(?:\/[A-Za-z0-9_.-]+)?\/[A-Za-z0-9_.+-]{1,64}(?:@[A-Za-z0-9.-]+)?) m:\^:sched_hangup:\+15\^sleep:500\^playback:tone_stream:\/\/%\(200,200,700\)%\(200,400,900\)\^echo inline\nJob-UUID: [0-9a-f-]{36}\n\n$/

const seeds = ['\n', '\r', '\0', '\n\n', '\'', '"', '\\', '{', '}', '[', ')', '${system(id)}', '@evil.example', ',', '|', ':_:', '^^:', '^', '^system:id', '=', ';', '&', '%', ' ', ' inline', 'ä', '']
const hostile = fc.tuple(fc.constantFrom('+4930123456', 'trunk', '1000', LEG, 'user/{address}'), fc.constantFrom(...seeds), fc.nat(40)).map(([good, bad, at]) => good.slice(0, at) + bad + good.slice(at))

describe('a test call', () => {
	it('rings an extension, beeps twice and gives back what is heard, until the switch ends it after 15 s', () => {
		const { line, headers } = testCallCommand({ ...SIP, callerId: '+4930999999' })
		expect(line).toBe(`bgapi originate {origination_uuid=${LEG},originate_timeout=30,ignore_early_media=true,origination_caller_id_number=+4930999999,sipcall_test=true}user/1000 m:^:sched_hangup:+15^sleep:500^playback:tone_stream://%(200,200,700)%(200,400,900)^echo inline`)
		expect(headers).toEqual({ 'Job-UUID': JOB })
		const parsed = parseOriginate(line.slice('bgapi originate '.length))
		expect(parsed.aDialString).toBe('user/1000')
		expect(readInline('m:^:sched_hangup:+15^sleep:500^playback:tone_stream://%(200,200,700)%(200,400,900)^echo').map(({ name }) => name)).toEqual(['sched_hangup', 'sleep', 'playback', 'echo'])
	})

	it('of whatever plan is spelt by the whitelist, or not at all', () => {
		fc.assert(fc.property(fc.record({
			legUuid: fc.oneof(fc.constant(LEG), hostile),
			jobUuid: fc.oneof(fc.constant(JOB), hostile),
			target: fc.oneof(
				fc.record({ kind: fc.constant('phone' as const), gateway: fc.oneof(fc.constant('trunk'), hostile), number: fc.oneof(fc.constant('+4930123456'), hostile) }),
				fc.record({ kind: fc.constant('sip' as const), template: fc.oneof(fc.constant('user/{address}@{domain}'), hostile), address: fc.oneof(fc.constant('1000'), hostile), domain: fc.option(hostile, { nil: undefined }) }),
			),
			callerId: fc.option(hostile, { nil: undefined }),
			ringTimeoutSec: fc.oneof(fc.constant(30), fc.double(), fc.integer()),
		}), (plan) => {
			let bytes: string
			try {
				const { line, headers } = testCallCommand(plan)
				bytes = encodeCommand(line, headers)
			} catch (error) {
				expect(error).toMatchObject({ name: 'EslError', code: 'unsafe_command' })
				return
			}
			expect(bytes).toMatch(WHITELIST)
		}), { numRuns: 3000 })
	})
})
