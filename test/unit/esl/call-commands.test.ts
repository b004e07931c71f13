// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TransferPlan } from '../../../lib/calls/ports.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digitsCommand, holdCommand, killCommand, transferCommand } from '../../../lib/esl/call-commands.ts'
import { encodeCommand } from '../../../lib/esl/safe-command.ts'
import { separate } from '../../stand-ins/freeswitch/separate.ts'
import { parseBridgeArgument } from '../../stand-ins/freeswitch/tokenizer.ts'

const B = '31111111-1111-4111-8111-111111111111'
const C1 = '41111111-1111-4111-8111-111111111111'
const C2 = '51111111-1111-4111-8111-111111111111'
const PLAN: TransferPlan = { number: '+4930777777', legs: [{ legUuid: C1, gateway: 'trunk' }], callerId: '+4930999999', answerTimeoutSec: 60, maxCallSec: 3600 }

/** Everything that may ever stand in one of these commands, by its very bytes. */
const WHITELIST = /^api uuid_(?:kill|hold|hold off|send_dtmf|transfer) [0-9A-Za-z-]+(?: [0-9*#A-D]{1,32}| m:\^:bridge:[0-9A-Za-z_{}[\]=,:+|/.*#-]+ inline)?\n\n$/

const seeds = ['\n', '\r', '\0', '\t', '\n\n', '\u2028', '\'', '"', '\\', '{', '}', '[', ']', '(', ')', '${system(id)}', '@evil.example', '@2000', ',', '|', ':_:', '^^:', '^', '^system:id', '=', ';', '&', '$', '%', ' ', ' -both', ' inline', 'w', 'W', '~', 'ä', '٣', '\uD800', ',api_hangup_hook=system id', '}null/x^park:', '+', '']
const hostile = fc.oneof(
	fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
	fc.tuple(fc.constantFrom('+4930123456', 'trunk', '12#', B), fc.constantFrom(...seeds), fc.nat(40)).map(([good, bad, at]) => good.slice(0, at) + bad + good.slice(at)),
	fc.string({ unit: 'binary', maxLength: 60 }),
)

/** What would be written, or undefined when it is refused. */
function written(build: () => string): string | undefined {
	try {
		return encodeCommand(build())
	} catch (error) {
		expect(error).toMatchObject({ name: 'EslError', code: 'unsafe_command' })
		return undefined
	}
}

describe('a command on a call', () => {
	it('is spelt as FreeSWITCH 1.10.12 takes it', () => {
		expect([holdCommand(B, true), holdCommand(B, false), digitsCommand(B, '12#'), killCommand(B)]).toEqual([
			`api uuid_hold ${B}`,
			`api uuid_hold off ${B}`,
			`api uuid_send_dtmf ${B} 12#`,
			`api uuid_kill ${B}`,
		])
	})

	it('transfers over one gateway, with a limit of its own', () => {
		expect(transferCommand(B, PLAN)).toBe(`api uuid_transfer ${B} m:^:bridge:{origination_uuid=${C1},sip_invite_call_id=${C1},originate_timeout=60,origination_caller_id_number=+4930999999,execute_on_answer=sched_hangup:+3600}sofia/gateway/trunk/+4930777777 inline`)
	})

	it('transfers over two gateways, and asserts nobody’s number when there is none of ours', () => {
		expect(transferCommand(B, { ...PLAN, callerId: undefined, legs: [{ legUuid: C1, gateway: 'trunk' }, { legUuid: C2, gateway: 'backup-2' }] })).toBe(`api uuid_transfer ${B} m:^:bridge:{leg_timeout=60,leg_progress_timeout=10,fail_on_single_reject=USER_BUSY:NO_ANSWER:NO_USER_RESPONSE:INVALID_NUMBER_FORMAT:NUMBER_CHANGED:ORIGINATOR_CANCEL:ALLOTTED_TIMEOUT:CALL_REJECTED,execute_on_answer=sched_hangup:+3600,sip_cid_type=none}[origination_uuid=${C1},sip_invite_call_id=${C1}]sofia/gateway/trunk/+4930777777|[origination_uuid=${C2},sip_invite_call_id=${C2}]sofia/gateway/backup-2/+4930777777 inline`)
	})

	it('means to FreeSWITCH’s tokenizer exactly the transfer that was planned, for 5,000 plans', () => {
		const number = fc.stringMatching(/^\+?[0-9]{3,15}$/)
		const gateway = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/)
		const sec = fc.integer({ min: 1, max: 86_400 })
		const plans = fc.record({ number, legs: fc.array(fc.record({ legUuid: fc.uuid(), gateway }), { minLength: 1, maxLength: 4 }), callerId: fc.option(number, { nil: undefined }), answerTimeoutSec: sec, maxCallSec: sec, extension: fc.stringMatching(/^[0-9*#][0-9*#,]{0,18}[0-9*#]$/) }, { requiredKeys: ['number', 'legs', 'callerId', 'answerTimeoutSec', 'maxCallSec'] })
		fc.assert(fc.property(plans, (plan) => {
			const line = transferCommand(B, plan)
			expect(`${line}\n\n`).toMatch(WHITELIST)
			const [uuid, application = '', dialplan, ...others] = separate(line.slice('api uuid_transfer '.length), ' ', 10)
			expect([uuid, dialplan, others]).toEqual([B, 'inline', []])
			expect(application.slice('m:^:'.length).split('^')).toHaveLength(1)
			const legs = parseBridgeArgument(application.slice('m:^:bridge:'.length)) ?? []
			expect(legs.map((leg) => [leg.gateway, leg.number, leg.variables.origination_uuid, leg.variables.execute_on_answer, leg.variables.origination_caller_id_number, leg.variables.execute_on_answer_extension]))
				.toEqual(plan.legs.map((leg) => [leg.gateway, plan.number, leg.legUuid, `sched_hangup:+${plan.maxCallSec}`, plan.callerId, plan.extension === undefined ? undefined : `send_dtmf:WW${plan.extension.replaceAll(',', 'WW')}`]))
		}), { numRuns: 5_000 })
	})

	it.each<[string, (value: string) => string]>([
		['the leg of a hold', (value) => holdCommand(value, true)],
		['the leg of an unhold', (value) => holdCommand(value, false)],
		['the leg of a kill', killCommand],
		['the leg of keys', (value) => digitsCommand(value, '1')],
		['keys', (value) => digitsCommand(B, value)],
		['the leg of a transfer', (value) => transferCommand(value, PLAN)],
		['the number of a transfer', (value) => transferCommand(B, { ...PLAN, number: value })],
		['the caller ID of a transfer', (value) => transferCommand(B, { ...PLAN, callerId: value })],
		['the gateway of a transfer', (value) => transferCommand(B, { ...PLAN, legs: [{ legUuid: C1, gateway: value }] })],
		['the extension of a transfer', (value) => transferCommand(B, { ...PLAN, extension: value })],
		['the new leg of a transfer', (value) => transferCommand(B, { ...PLAN, legs: [{ legUuid: value, gateway: 'trunk' }] })],
	])('lets nothing else reach the switch as %s, each of 3,000', (_place, build) => {
		let refused = 0
		fc.assert(fc.property(hostile, (value) => {
			const command = written(() => build(value))
			if (command === undefined) {
				refused++
			} else {
				expect(command).toMatch(WHITELIST)
			}
		}), { numRuns: 3_000 })
		expect(refused).toBeGreaterThan(1_000)
	})

	it.each([0, -1, 1.5, Number.NaN, Infinity, 1e6])('refuses a limit of %s seconds', (maxCallSec) => {
		expect(written(() => transferCommand(B, { ...PLAN, maxCallSec }))).toBeUndefined()
	})

	it('refuses a transfer to nowhere', () => {
		expect(written(() => transferCommand(B, { ...PLAN, legs: [] }))).toBeUndefined()
	})
})
