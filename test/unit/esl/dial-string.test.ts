// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What SIPCall writes, read back by the model of FreeSWITCH's own tokenizer.

import type { OriginatePlan } from '../../../lib/calls/ports.ts'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildOriginate, isDialTemplate, isDomain, isGatewayName, originateCommand } from '../../../lib/esl/dial-string.ts'
import { encodeCommand } from '../../../lib/esl/safe-command.ts'
import { parseOriginate } from '../../stand-ins/freeswitch/tokenizer.ts'

type Target = OriginatePlan['user']['target']

const UUIDS = Array.from({ length: 6 }, (_, index) => `${index}1111111-1111-4111-8111-111111111111`)
const [CALL = '', JOB = '', A = '', B1 = '', B2 = '', B3 = ''] = UUIDS

const PLAN: OriginatePlan = {
	callUuid: CALL,
	jobUuid: JOB,
	user: { legUuid: A, target: { kind: 'sip', template: 'user/{address}@{domain}', address: '1000', domain: 'pbx.example.com' }, callerId: '+4930123456', ringTimeoutSec: 30 },
	destination: { number: '+4930123456', legs: [{ legUuid: B1, gateway: 'trunk' }], callerId: '+4930999999', answerTimeoutSec: 60, maxCallSec: 14_400 },
}

const uuid = fc.uuid()
const number = fc.stringMatching(/^\+?[0-9]{3,15}$/)
const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/).filter((text) => !text.toLowerCase().includes('mod_event_socket'))
const domain = fc.stringMatching(/^[a-z0-9-]{1,20}(?:\.[A-Za-z0-9-]{1,20}){0,3}$/)
const keys = fc.stringMatching(/^,{0,3}[0-9*#][0-9*#,]{0,16}$/)
const sec = fc.integer({ min: 1, max: 86_400 })
const template = fc.oneof(
	fc.constantFrom('user/{address}', 'user/{address}@{domain}', 'sofia/internal/{address}@{domain}', 'sofia/external/sip:{address}@{domain}', 'sofia/internal/{address}@10.0.0.7:5061'),
	name.map((profile) => `sofia/${profile}/sip:{address}@{domain}`),
)
const target: fc.Arbitrary<Target> = fc.oneof(
	fc.record({ kind: fc.constant('sip' as const), template, address: fc.stringMatching(/^[A-Za-z0-9_.+-]{1,64}$/), domain }),
	fc.record({ kind: fc.constant('sip' as const), template: fc.constantFrom('user/{address}', 'user/{address}@{domain}'), address: fc.stringMatching(/^[0-9]{2,6}$/), domain: fc.constant(undefined) }),
	fc.record({ kind: fc.constant('phone' as const), gateway: name, number }),
)
const validPlan: fc.Arbitrary<OriginatePlan> = fc.record({
	callUuid: uuid,
	jobUuid: uuid,
	user: fc.record({ legUuid: uuid, target, callerId: fc.option(number, { nil: undefined }), ringTimeoutSec: sec }),
	destination: fc.record({ number, extension: keys, legs: fc.array(fc.record({ legUuid: uuid, gateway: name }), { minLength: 1, maxLength: 5 }), callerId: fc.option(number, { nil: undefined }), answerTimeoutSec: sec, maxCallSec: sec }, { requiredKeys: ['number', 'legs', 'callerId', 'answerTimeoutSec', 'maxCallSec'] }),
})

const seeds = ['\n', '\r', '\0', '\t', '\n\n', '\u0085', '\u2028', '\'', '"', '\\', '{', '}', '[', ']', '<', '>', '(', ')', '${system(id)}', '#{x}', '@evil.example', ',', '|', ':_:', '^^:', '=', ';', '&', '$', '%', ' ', 'ä', '٣', '😀', '\uD800', 'undef', 'reload mod_event_socket', 'MOD_EVENT_SOCKET', ',api_hangup_hook=system id', '}null/x &park() ', 'loopback/1', 'sofia/gateway/x/1', '{address}', '{domain}', '/', '../', '+', '1000', '-', '.', '']
const hostile = fc.oneof(
	fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
	fc.tuple(fc.constantFrom('+4930123456', 'trunk', 'user/{address}', 'sofia/internal/{address}@{domain}', A), fc.constantFrom(...seeds), fc.nat(60)).map(([good, bad, at]) => good.slice(0, at) + bad + good.slice(at)),
	fc.string({ unit: 'binary', maxLength: 80 }),
	fc.constantFrom('1', 'a', '+').map((char) => char.repeat(100_000)),
)
const hostileNumber = fc.constantFrom(0, -1, -0, 1.5, Number.NaN, Infinity, -Infinity, 1e6, 1e21, 2 ** 53)

/** Each place of a plan that a value can be put into. */
const FIELDS: Record<string, (plan: OriginatePlan, value: string) => OriginatePlan> = {
	callUuid: (plan, value) => ({ ...plan, callUuid: value }),
	jobUuid: (plan, value) => ({ ...plan, jobUuid: value }),
	'user.legUuid': (plan, value) => ({ ...plan, user: { ...plan.user, legUuid: value } }),
	'user.callerId': (plan, value) => ({ ...plan, user: { ...plan.user, callerId: value } }),
	'target.template': (plan, value) => ({ ...plan, user: { ...plan.user, target: { kind: 'sip', template: value, address: '1000', domain: 'pbx.example.com' } } }),
	'target.address': (plan, value) => ({ ...plan, user: { ...plan.user, target: { kind: 'sip', template: 'user/{address}@{domain}', address: value, domain: undefined } } }),
	'target.domain': (plan, value) => ({ ...plan, user: { ...plan.user, target: { kind: 'sip', template: 'sofia/internal/{address}@{domain}', address: '1000', domain: value } } }),
	'target.gateway': (plan, value) => ({ ...plan, user: { ...plan.user, target: { kind: 'phone', gateway: value, number: '+4930123456' } } }),
	'target.number': (plan, value) => ({ ...plan, user: { ...plan.user, target: { kind: 'phone', gateway: 'trunk', number: value } } }),
	'destination.number': (plan, value) => ({ ...plan, destination: { ...plan.destination, number: value } }),
	'destination.extension': (plan, value) => ({ ...plan, destination: { ...plan.destination, extension: value } }),
	'destination.callerId': (plan, value) => ({ ...plan, destination: { ...plan.destination, callerId: value } }),
	'destination.legUuid': (plan, value) => ({ ...plan, destination: { ...plan.destination, legs: [{ legUuid: value, gateway: 'trunk' }] } }),
	'destination.gateway': (plan, value) => ({ ...plan, destination: { ...plan.destination, legs: [{ legUuid: B1, gateway: value }] } }),
	'destination.legs[1].legUuid': (plan, value) => ({ ...plan, destination: { ...plan.destination, legs: [{ legUuid: B1, gateway: 'trunk' }, { legUuid: value, gateway: 'backup' }] } }),
	'destination.legs[1].gateway': (plan, value) => ({ ...plan, destination: { ...plan.destination, legs: [{ legUuid: B1, gateway: 'trunk' }, { legUuid: B2, gateway: value }] } }),
}

/** What may stand there, said a second time and by itself: a wider pattern in the code must not go unseen. */
const ALLOWED: [field: RegExp, value: RegExp][] = [
	[/uuid$/i, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
	[/number$|callerId$/, /^\+?\d{3,15}$/],
	[/gateway$/, /^[\w.-]{1,64}$/],
	[/extension$/, /^(?=.*[\d*#])[\d*#,]{1,20}$/],
	[/address$/, /^[\w.+-]{1,64}$/],
	[/domain$/, /^[a-z\d.-]{1,253}$/i],
	[/template$/, /^(?:user|sofia\/[\w.-]+)\/(?:sip:)?\{address\}(?:@\{domain\}|@[a-z\d.-]+(?::\d+)?)?$/i],
]

const NUMBERS: Record<string, (plan: OriginatePlan, value: number) => OriginatePlan> = {
	'user.ringTimeoutSec': (plan, value) => ({ ...plan, user: { ...plan.user, ringTimeoutSec: value } }),
	'destination.answerTimeoutSec': (plan, value) => ({ ...plan, destination: { ...plan.destination, answerTimeoutSec: value } }),
	'destination.maxCallSec': (plan, value) => ({ ...plan, destination: { ...plan.destination, maxCallSec: value } }),
}

/** Every byte that a plan of good values needs, and no other. */
const WHITELIST = /^bgapi originate [A-Za-z0-9_.+@:/{}[\]()&'=,|*# -]+\nJob-UUID: [0-9a-f-]{36}\n\n$/

/** What would be written; undefined when it is refused in the right way. */
function written(plan: OriginatePlan): string | undefined {
	try {
		const { line, headers } = originateCommand(plan)
		return encodeCommand(line, headers)
	} catch (error) {
		expect(error).toMatchObject({ name: 'EslError', code: 'unsafe_command', mayHaveArrived: false })
		// A fixed sentence: it cannot repeat the value.
		expect((error as Error).message).toMatch(/^A [a-z]+ is not of the form that may stand in a command$|^The command holds the word mod_event_socket$/)
		return undefined
	}
}

/** What the switch must make of the plan, put together without a look at the line. */
function meant(plan: OriginatePlan): Record<string, unknown> {
	const { user, destination } = plan
	const { target } = user
	const dialString = target.kind === 'phone'
		? `sofia/gateway/${target.gateway}/${target.number}`
		: target.template.split('{address}').join(target.address).split(target.domain === undefined ? '@{domain}' : '{domain}').join(target.domain ?? '')
	const aVariables = {
		origination_uuid: user.legUuid,
		...(target.kind === 'phone' ? { sip_invite_call_id: user.legUuid } : {}),
		originate_timeout: String(user.ringTimeoutSec),
		ignore_early_media: 'true',
		hangup_after_bridge: 'true',
		sipcall_call: plan.callUuid,
		sipcall_leg: 'a',
		...(user.callerId === undefined ? {} : { origination_caller_id_number: user.callerId }),
	}
	const limits = destination.legs.length === 1
		? { originate_timeout: String(destination.answerTimeoutSec) }
		: { leg_timeout: String(destination.answerTimeoutSec), leg_progress_timeout: '10', fail_on_single_reject: 'USER_BUSY:NO_ANSWER:NO_USER_RESPONSE:INVALID_NUMBER_FORMAT:NUMBER_CHANGED:ORIGINATOR_CANCEL:ALLOTTED_TIMEOUT' }
	return {
		fault: undefined,
		expansions: [],
		application: 'bridge',
		extension: undefined,
		aDialString: dialString,
		aVariables,
		aLegs: [{ dialString, variables: aVariables }],
		legs: destination.legs.map(({ legUuid, gateway }, group) => ({
			gateway,
			number: destination.number,
			group,
			variables: {
				...limits,
				origination_uuid: legUuid,
				sip_invite_call_id: legUuid,
				execute_on_answer: `sched_hangup +${destination.maxCallSec} ALLOTTED_TIMEOUT`,
				...(destination.extension === undefined ? {} : { execute_on_answer_extension: `send_dtmf WW${destination.extension.split(',').join('WW')}` }),
				sipcall_call: plan.callUuid,
				sipcall_leg: 'b',
				...(destination.callerId === undefined ? {} : { origination_caller_id_number: destination.callerId }),
			},
		})),
	}
}

function understood(line: string): Record<string, unknown> {
	const { fault, expansions, application, extension, aDialString, aVariables, aLegs, legs } = parseOriginate(line)
	return {
		fault,
		expansions,
		application,
		extension,
		aDialString,
		aVariables,
		aLegs: aLegs.map(({ dialString, variables }) => ({ dialString, variables })),
		legs: legs.map(({ gateway, number, group, variables }) => ({ gateway, number, group, variables })),
	}
}

describe('the line of an originate', () => {
	it('for one gateway', () => {
		expect(buildOriginate(PLAN)).toBe('{origination_uuid=21111111-1111-4111-8111-111111111111,originate_timeout=30,ignore_early_media=true,origination_caller_id_number=+4930123456,hangup_after_bridge=true,sipcall_call=01111111-1111-4111-8111-111111111111,sipcall_leg=a}user/1000@pbx.example.com &bridge({origination_uuid=31111111-1111-4111-8111-111111111111,sip_invite_call_id=31111111-1111-4111-8111-111111111111,originate_timeout=60,origination_caller_id_number=+4930999999,execute_on_answer=\'sched_hangup +14400 ALLOTTED_TIMEOUT\',sipcall_call=01111111-1111-4111-8111-111111111111,sipcall_leg=b}sofia/gateway/trunk/+4930123456)')
	})

	it('for three gateways and no caller ID, to a phone behind the trunk', () => {
		const plan: OriginatePlan = {
			...PLAN,
			user: { ...PLAN.user, target: { kind: 'phone', gateway: 'trunk', number: '+491511234567' }, callerId: undefined },
			destination: { ...PLAN.destination, callerId: undefined, legs: [{ legUuid: B1, gateway: 'trunk' }, { legUuid: B2, gateway: 'backup-2' }, { legUuid: B3, gateway: 'last.resort' }] },
		}
		expect(buildOriginate(plan)).toBe('{origination_uuid=21111111-1111-4111-8111-111111111111,sip_invite_call_id=21111111-1111-4111-8111-111111111111,originate_timeout=30,ignore_early_media=true,hangup_after_bridge=true,sipcall_call=01111111-1111-4111-8111-111111111111,sipcall_leg=a}sofia/gateway/trunk/+491511234567 &bridge({leg_timeout=60,leg_progress_timeout=10,fail_on_single_reject=USER_BUSY:NO_ANSWER:NO_USER_RESPONSE:INVALID_NUMBER_FORMAT:NUMBER_CHANGED:ORIGINATOR_CANCEL:ALLOTTED_TIMEOUT,execute_on_answer=\'sched_hangup +14400 ALLOTTED_TIMEOUT\',sipcall_call=01111111-1111-4111-8111-111111111111,sipcall_leg=b}[origination_uuid=31111111-1111-4111-8111-111111111111,sip_invite_call_id=31111111-1111-4111-8111-111111111111]sofia/gateway/trunk/+4930123456|[origination_uuid=41111111-1111-4111-8111-111111111111,sip_invite_call_id=41111111-1111-4111-8111-111111111111]sofia/gateway/backup-2/+4930123456|[origination_uuid=51111111-1111-4111-8111-111111111111,sip_invite_call_id=51111111-1111-4111-8111-111111111111]sofia/gateway/last.resort/+4930123456)')
	})

	it('for an extension, which the answered leg sends after 2 s, with 2 s for each comma', () => {
		const plan = { ...PLAN, destination: { ...PLAN.destination, extension: ',12,3#' } }
		expect(buildOriginate(plan)).toContain(',execute_on_answer=\'sched_hangup +14400 ALLOTTED_TIMEOUT\',sipcall_call=01111111-1111-4111-8111-111111111111,sipcall_leg=b,execute_on_answer_extension=\'send_dtmf WWWW12WW3#\'}')
	})

	it('names its job in a header', () => {
		expect(originateCommand(PLAN)).toEqual({ line: `bgapi originate ${buildOriginate(PLAN)}`, headers: { 'Job-UUID': JOB } })
	})

	it('means to FreeSWITCH’s tokenizer exactly what was planned, for 10,000 plans', () => {
		fc.assert(fc.property(validPlan, (plan) => {
			expect(written(plan)).toMatch(WHITELIST)
			expect(understood(buildOriginate(plan))).toEqual(meant(plan))
		}), { numRuns: 10_000 })
	})
})

describe('hostile values', () => {
	it.each(Object.keys(FIELDS))('in %s are refused, or mean what was planned, each of 2,000', (field) => {
		let refused = 0
		fc.assert(fc.property(validPlan, hostile, (good, value) => {
			const plan = FIELDS[field]?.(good, value) ?? good
			const command = written(plan)
			if (command === undefined) {
				refused++
				return
			}
			expect(command).toMatch(WHITELIST)
			expect(value).toMatch(ALLOWED.find(([name]) => name.test(field))?.[1] ?? /^$/)
			expect(understood(buildOriginate(plan))).toEqual(meant(plan))
		}), { numRuns: 2_000 })
		expect(refused).toBeGreaterThan(1_000)
	})

	it('in up to 4 fields at once are refused, or every byte is of the whitelist, for 10,000 plans', () => {
		fc.assert(fc.property(validPlan, fc.array(fc.tuple(fc.constantFrom(...Object.keys(FIELDS)), hostile), { maxLength: 4 }), (good, changes) => {
			const command = written(changes.reduce((plan, [field, value]) => FIELDS[field]?.(plan, value) ?? plan, good))
			expect(command ?? 'bgapi originate {}\nJob-UUID: 01111111-1111-4111-8111-111111111111\n\n').toMatch(WHITELIST)
		}), { numRuns: 10_000 })
	})

	it.each(Object.keys(NUMBERS))('as the seconds of %s are refused', (field) => {
		fc.assert(fc.property(validPlan, hostileNumber, (good, value) => {
			expect(written(NUMBERS[field]?.(good, value) ?? good)).toBeUndefined()
		}), { numRuns: 1_000 })
	})
})

describe('what is refused', () => {
	it.each([
		['a plan without a gateway', { ...PLAN, destination: { ...PLAN.destination, legs: [] } }],
		['an endpoint without its domain', FIELDS['target.domain']?.(PLAN, '')],
		['a profile that asks for a domain when there is none', { ...PLAN, user: { ...PLAN.user, target: { kind: 'sip' as const, template: 'sofia/internal/{address}@{domain}', address: '1000', domain: undefined } } }],
		['a uuid in upper case', FIELDS.callUuid?.(PLAN, 'AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA')],
		['a number with a line feed at its end', FIELDS['destination.number']?.(PLAN, '+4930123456\n')],
	])('is %s', (_what, plan) => {
		expect(plan).toBeDefined()
		expect(written(plan ?? PLAN)).toBeUndefined()
	})

	it.each(['4930123456@evil.example', '${system(id)}', '4930123456,null/evil', '4930123456|null/evil', '4930123456:_:null/evil', '4930123456) XML default evil', '4930123456;x=1', '49 30 123456', '*21*0900#', '٤٩٣٠١٢٣', '12', '1234567890123456', '++49301234', ''])('is the number "%s", wherever it is meant to stand', (value) => {
		for (const field of ['destination.number', 'destination.callerId', 'user.callerId', 'target.number']) {
			expect(written(FIELDS[field]?.(PLAN, value) ?? PLAN), field).toBeUndefined()
		}
	})

	it.each(['', ',', ',,,', '1'.repeat(21), '12 3', '12w', 'W12', '12@100', '12+34', '~12', 'ABCD', '+12', '12\'', '12}', '12)', '${x}', '12\n', '1٢', '12;3', '-', '1=2'])('is the extension "%s"', (value) => {
		expect(written(FIELDS['destination.extension']?.(PLAN, value) ?? PLAN)).toBeUndefined()
	})

	it.each(['', 'user/', 'user/{address},null/x', 'loopback/{address}', 'error/{address}', 'sofia/internal/{address}@{domain}@{domain}', 'user/{address}{address}', 'user/${x}{address}', '{x=1}user/{address}', 'user/{address} &park()', 'sofia/internal/{address}@host:5060:1', 'user/{address}\n'])('is the template "%s"', (text) => {
		expect(isDialTemplate(text)).toBe(false)
	})

	it('is a gateway or a domain of other characters, or too long', () => {
		expect(['trunk', 'a.b-c_1', 'x'.repeat(64)].every(isGatewayName)).toBe(true)
		expect(['', 'a b', 'a/b', 'a,b', 'ä', 'x'.repeat(65), 'trunk\n'].some(isGatewayName)).toBe(false)
		expect(['pbx.example.com', '10.0.0.7'].every(isDomain)).toBe(true)
		expect(['', 'a@b', 'a:1', 'a b', 'ä.de', '[::1]', 'x'.repeat(254)].some(isDomain)).toBe(false)
	})
})
