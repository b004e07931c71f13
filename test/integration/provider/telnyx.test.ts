// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The client against a Telnyx of the description's, and against ones of every kind of trouble.

import type { CostRecord, TrunkProvider } from '../../../lib/calls/trunk-provider.ts'
import type { TelnyxStandIn, Trouble } from '../../stand-ins/telnyx/index.ts'
import type { Operation, OperationName } from '../../stand-ins/telnyx/operations.ts'

import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProvider } from '../../../lib/provider/index.ts'
import { API_KEY, startTelnyx } from '../../stand-ins/telnyx/index.ts'
import { OPERATIONS } from '../../stand-ins/telnyx/operations.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

let telnyx: TelnyxStandIn
let nowMs: number
let log: RecordedLog

beforeEach(async () => {
	telnyx = await startTelnyx()
	nowMs = Date.parse('2026-11-28T12:00:00.000Z')
	log = new RecordedLog()
})

afterEach(async () => {
	await telnyx.stop()
	// Whatever was asked, the description allows it.
	expect(telnyx.wrong).toEqual([])
})

function open(settings: Record<string, string | boolean> = {}, options: { timeoutMs?: number } = {}): TrunkProvider {
	return openProvider({ kind: 'telnyx', apiKey: API_KEY, baseUrl: telnyx.url, ...settings }, { logger: log, now: () => nowMs, ...options })
}

async function records(provider: TrunkProvider, from = '2026-11-28T00:00:00.000Z', to = '2026-11-29T00:00:00.000Z'): Promise<CostRecord[]> {
	const found: CostRecord[] = []
	for await (const record of provider.costs?.(new Date(from), new Date(to)) ?? []) {
		found.push(record)
	}
	return found
}

function count(name: OperationName): number {
	return telnyx.asked.filter((question) => question.name === name).length
}

describe('Telnyx', () => {
	it.each(['', '/', '/v2', '/v2/'])('is asked at an address that ends in %j', async (end) => {
		expect(await open({ baseUrl: `${telnyx.url}${end}` }).health?.()).toEqual({ faults: [], credit: { micros: '400000000', currency: 'USD' }, latencyMs: expect.any(Number) as number })
		expect(new Set(telnyx.asked.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${API_KEY}`]))
	})

	it('is asked for its balance once a minute, and for its rules once in ten, however many want to know', async () => {
		const provider = open()
		await Promise.all(Array.from({ length: 50 }, () => provider.health?.()))
		expect(telnyx.asked.map(({ name }) => name).toSorted()).toEqual(['balance', 'connections', 'profile'])
		nowMs += 59_000
		await provider.health?.()
		expect(telnyx.asked).toHaveLength(3)
		nowMs += 2_000
		await provider.health?.()
		expect([count('balance'), count('profile')]).toEqual([2, 1])
		nowMs += 600_000
		await provider.health?.()
		expect([count('balance'), count('profile')]).toEqual([3, 2])
	})

	it('tells its limits at once from what it said last, and is asked for newer ones behind', async () => {
		const provider = open()
		expect(provider.limits?.()).toBeUndefined()
		await provider.health?.()
		const limits = { countries: ['DE', 'FR'], dailySpend: { micros: '100000000', currency: 'USD' }, concurrentCalls: 10, maxPerMinute: { micros: '500000', currency: 'USD' } }
		expect(provider.limits?.()).toEqual(limits)
		telnyx.trouble = () => ({ kind: 'status', status: 503 })
		nowMs += 1_190_000
		expect(provider.limits?.()).toEqual(limits)
		await provider.health?.()
		nowMs += 20_000
		expect(provider.limits?.()).toBeUndefined()
		telnyx.trouble = undefined
		await provider.health?.()
		expect(provider.limits?.()).toEqual(limits)
	})

	it('says what of the trunk keeps calls from going out', async () => {
		const faults = async (change: () => void, settings?: Record<string, string>) => {
			change()
			return (await open(settings).health?.())?.faults
		}
		const [connection = {}] = telnyx.data.connections
		expect(await faults(() => Object.assign(telnyx.data.balance, { available_credit: '0.00' }))).toEqual(['no_credit'])
		expect(await faults(() => Object.assign(telnyx.data.balance, { available_credit: '-3.20' }))).toEqual(['no_credit'])
		Object.assign(telnyx.data.balance, { available_credit: '1.00' })
		expect(await faults(() => Object.assign(telnyx.data.profile, { daily_spend_limit_enabled: false }))).toEqual(['no_spend_limit'])
		expect(await faults(() => Object.assign(telnyx.data.profile, { enabled: false }))).toEqual(['profile_off'])
		expect(await faults(() => Object.assign(connection, { outbound_voice_profile_id: null }))).toEqual(['no_profile'])
		expect(await faults(() => Object.assign(connection, { active: false }))).toEqual(['trunk_off'])
		expect(await faults(() => telnyx.data.connections.push({ ...connection, id: '2' }))).toEqual(['trunk_unknown'])
		expect(await faults(() => Object.assign(connection, { active: true }), { connectionId: '2' })).toEqual(['trunk_off'])
		expect(await faults(() => {}, { connectionId: '3' })).toEqual(['trunk_unknown'])
	})

	it('gives all numbers that may be shown, page by page', async () => {
		telnyx.data.numbers = Array.from({ length: 501 }, (_none, at) => `+4930${100_000 + at}`)
		telnyx.data.verified = Array.from({ length: 26 }, (_none, at) => `+4989${100_000 + at}`)
		expect(await open().callerIds?.()).toEqual(new Set([...telnyx.data.numbers, ...telnyx.data.verified]))
		expect([count('numbers'), count('verified')]).toEqual([3, 2])
	})

	it('gives the records of a time, and no cost where none is rated yet', async () => {
		const record = (change: Record<string, unknown>) => ({ id: '1', record_type: 'sip-trunking', sip_call_id: 'a', started_at: '2026-11-28T10:00:00Z', cost: '0.0401', currency: 'USD', cli: '+4930123456', cld: '+498912345', ...change })
		telnyx.data.records = [
			record({}),
			record({ id: '2', sip_call_id: 'b', cost: null }),
			record({ id: '3', sip_call_id: 'c', cost: '0.0' }),
			record({ id: '4', sip_call_id: 'd', cost: 'much' }),
			record({ sip_call_id: null }),
			record({ sip_call_id: 'e', started_at: '2026-11-27T23:59:59Z' }),
			...Array.from({ length: 120 }, (_none, at) => record({ sip_call_id: `f${at}` })),
		]
		const found = await records(open())
		expect(found.slice(0, 4)).toEqual([
			{ id: '1', sipCallId: 'a', cost: { micros: '40100', currency: 'USD' } },
			{ id: '2', sipCallId: 'b', cost: undefined },
			{ id: '3', sipCallId: 'c', cost: { micros: '0', currency: 'USD' } },
			{ id: '4', sipCallId: 'd', cost: undefined },
		])
		expect(found).toHaveLength(124)
	})

	it('is not asked at an address to which a key would go unencrypted', () => {
		expect(() => open({ baseUrl: 'http://api.telnyx.example' })).toThrow(TypeError)
		expect(() => open({ baseUrl: 'https://somebody:secret@api.telnyx.example' })).toThrow(TypeError)
	})

	it('never follows a redirect with the key', async () => {
		const stolen: (string | undefined)[] = []
		const other = createServer((request, response) => {
			stolen.push(request.headers.authorization)
			response.end('{}')
		})
		await new Promise<void>((resolve) => {
			other.listen(0, '127.0.0.1', resolve)
		})
		telnyx.trouble = () => ({ kind: 'redirect', to: `http://127.0.0.1:${(other.address() as { port: number }).port}/` })
		expect((await open().health?.())?.faults).toEqual(['unreachable'])
		expect(stolen).toEqual([])
		other.close()
	})

	it('gives no SIP password, no PIN and no key away, neither in what is kept nor in the log', async () => {
		const provider = open()
		await provider.health?.()
		await provider.callerIds?.()
		telnyx.trouble = () => ({ kind: 'status', status: 422, code: '10027' })
		nowMs += 3_600_000
		await provider.health?.()
		const all = inspect([provider, provider.limits?.(), await provider.health?.(), log], { depth: 20 })
		expect(all).not.toMatch(/a-sip-password|4711|KEY0123|\+4930123456/)
	})
})

/** All errors that are described, and the codes in them that mean more than the status. */
const DESCRIBED = (Object.entries(OPERATIONS) as [OperationName, Operation][]).flatMap(([name, { errors }]) => Object.entries(errors).map(([status, body]) => ({ name, status: Number(status), body })))

describe('a number', () => {
	const NUMBER = '+49301234567'

	it('is looked up only where the settings say so', () => {
		expect(open().lookup).toBeUndefined()
		expect(open({ lookup: false }).lookup).toBeUndefined()
	})

	it('is paid for once in 30 days, however many want to know, and none of them is kept in clear', async () => {
		const provider = open({ lookup: true })
		const facts = { country: 'DE', lineType: 'fixed', carrier: 'A company', isPorted: true }
		expect(await Promise.all(Array.from({ length: 20 }, () => provider.lookup?.(NUMBER)))).toEqual(Array.from({ length: 20 }, () => facts))
		nowMs += 30 * 24 * 3_600_000 - 1
		expect(await provider.lookup?.(NUMBER)).toEqual(facts)
		expect(count('lookup')).toBe(1)
		expect(inspect(provider, { depth: Infinity, showHidden: true, maxStringLength: Infinity })).not.toContain(NUMBER.slice(1))
		nowMs += 1
		await provider.lookup?.(NUMBER)
		await provider.lookup?.('+49301234568')
		expect(count('lookup')).toBe(3)
	})

	it.each([
		['premium rate', 'premium'],
		['toll free', 'toll_free'],
		['pager', 'other'],
		['unknown', undefined],
		[null, undefined],
	])('of the type %j is %j', async (type, lineType) => {
		telnyx.data.lookup = { country_code: 'de', carrier: { name: '', type }, portability: { ported_status: '' } }
		expect(await open({ lookup: true }).lookup?.(NUMBER)).toEqual(lineType === undefined ? {} : { lineType })
	})

	it('that was not told is asked for again, and nothing is paid for then', async () => {
		const provider = open({ lookup: true })
		telnyx.trouble = () => ({ kind: 'status', status: 422, code: '10015' })
		await expect(provider.lookup?.(NUMBER)).rejects.toMatchObject({ name: 'ApiError', message: expect.not.stringContaining(NUMBER) as string })
		telnyx.trouble = undefined
		expect(await provider.lookup?.(NUMBER)).toMatchObject({ carrier: 'A company' })
		expect(JSON.stringify(log.lines)).not.toContain('1234567')
	})
})

describe('an error of Telnyx', () => {
	it.each(DESCRIBED)('$status of $name is taken as what it is, with the described body, none, and a page of HTML', async ({ name, status, body }) => {
		const bodies = [undefined, '', '<html><body>Bad gateway</body></html>', '{"errors":{}}', '{"errors":[null]}', '[]']
		for (const text of body === 'errors' ? bodies : bodies.slice(1)) {
			telnyx.trouble = (asked) => asked === name ? { kind: 'status', status, ...(text === undefined ? { code: '10000' } : { body: text }) } : undefined
			const provider = open(name === 'connection' ? { connectionId: '1293384261075731461' } : {})
			const health = await provider.health?.()
			const isHealth = ['balance', 'connections', 'connection', 'profile'].includes(name)
			const general = status === 401 ? ['key_refused'] : status >= 500 ? ['unreachable'] : undefined
			const own = { balance: ['balance_not_told'], connections: ['trunk_unknown'], connection: ['trunk_unknown'], profile: [] as string[] }
			expect(health?.faults).toEqual(isHealth ? general ?? own[name as keyof typeof own] : [])
			if (name === 'records') {
				await expect(records(provider)).rejects.toThrow(String(status))
			}
			if (name === 'lookup') {
				await expect(open({ lookup: true }).lookup?.('+49301234567')).rejects.toThrow(String(status))
			}
			if (name === 'numbers' || name === 'verified') {
				expect(await provider.callerIds?.()).toBeUndefined()
			}
		}
	})

	it.each([
		['10009', 403, 'key_refused'],
		['20002', 403, 'key_refused'],
		['20006', 401, 'key_refused'],
		['20012', 403, 'account_blocked'],
		['20013', 403, 'account_blocked'],
		['20100', 402, 'account_blocked'],
		['10011', 429, 'limited'],
	])('%s with %i is %s', async (code, status, fault) => {
		telnyx.trouble = () => ({ kind: 'status', status, code })
		expect((await open().health?.())?.faults).toEqual([fault])
	})
})

const HOSTILE: [string, Trouble][] = [
	['never answers', { kind: 'silence' }],
	['cuts its answers', { kind: 'cut' }],
	['answers in HTML', { kind: 'text', text: '<!doctype html><title>Sign in</title>', type: 'text/html' }],
	['answers nothing', { kind: 'text', text: '' }],
	['answers by a list', { kind: 'text', text: '[]' }],
	['answers other types', { kind: 'text', text: '{"data":{"available_credit":{"a":1},"currency":7,"id":5,"active":"yes","whitelisted_destinations":"DE"},"meta":{"total_pages":"many"}}' }],
	['answers without end', { kind: 'endless' }],
	['answers 500', { kind: 'status', status: 500, body: '<html>' }],
]

describe('a Telnyx that', () => {
	it.each(HOSTILE)('%s is unreachable, and after five times is left alone', async (_what, trouble) => {
		telnyx.trouble = () => trouble
		const provider = open({ lookup: true }, { timeoutMs: 300 })
		for (let round = 0; round < 12; round++) {
			expect((await provider.health?.())?.faults).toEqual(['unreachable'])
			expect(provider.limits?.()).toBeUndefined()
			await expect(records(provider)).rejects.toThrow()
			await expect(provider.lookup?.('+49301234567')).rejects.toThrow()
			nowMs += 20_000
		}
		// Some went off at the same time as the fifth.
		expect(telnyx.asked.length).toBeLessThanOrEqual(7)
	})

	it('says 429 is asked again when it wants to be, and not before', async () => {
		telnyx.trouble = () => ({ kind: 'status', status: 429, code: '10011', headers: { 'retry-after': '120', 'x-ratelimit-reset': '1' } })
		const provider = open()
		expect((await provider.health?.())?.faults).toEqual(['limited'])
		const asked = telnyx.asked.length
		for (let second = 0; second < 115; second += 5) {
			nowMs += 5_000
			expect((await provider.health?.())?.faults).toEqual(['limited'])
		}
		expect(telnyx.asked).toHaveLength(asked)
		telnyx.trouble = undefined
		nowMs += 20_000
		expect((await provider.health?.())?.faults).toEqual([])
	})

	it.each([
		['retry-after-ms', '90000'],
		['retry-after', 'Sat, 28 Nov 2026 12:01:30 GMT'],
		['x-ratelimit-reset', '90'],
	])('says how long by %s is believed', async (header, value) => {
		telnyx.trouble = () => ({ kind: 'status', status: 429, headers: { [header]: value } })
		const provider = open()
		await provider.health?.()
		telnyx.trouble = undefined
		nowMs += 85_000
		expect((await provider.health?.())?.faults).toEqual(['limited'])
		nowMs += 20_000
		expect((await provider.health?.())?.faults).toEqual([])
	})

	it('wants to be left alone for a year is not', async () => {
		telnyx.trouble = () => ({ kind: 'status', status: 429, headers: { 'retry-after': '31536000' } })
		const provider = open()
		await provider.health?.()
		telnyx.trouble = undefined
		nowMs += 601_000
		expect((await provider.health?.())?.faults).toEqual([])
	})

	it('says that nothing remains is left alone before it has to refuse', async () => {
		telnyx.data.headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' }
		const provider = open()
		await provider.callerIds?.()
		const asked = telnyx.asked.length
		await expect(records(provider)).rejects.toThrow()
		expect(telnyx.asked).toHaveLength(asked)
	})

	it('counts pages without end is believed for 200', async () => {
		telnyx.trouble = (name) => name === 'records' ? { kind: 'text', text: '{"data":[{"id":"1","sip_call_id":"a","cost":"1"}],"meta":{"total_pages":1000000000}}' } : undefined
		expect(await records(open())).toHaveLength(200)
	})

	it('sends more rows than were asked for is believed for as many as were', async () => {
		const rows = Array.from({ length: 500 }, (_none, at) => ({ id: String(at), sip_call_id: String(at), cost: '1' }))
		telnyx.trouble = (name) => name === 'records' ? { kind: 'text', text: JSON.stringify({ data: rows, meta: { total_pages: 1 } }) } : undefined
		expect(await records(open())).toHaveLength(50)
	})
})
