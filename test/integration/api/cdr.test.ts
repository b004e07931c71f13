// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Call records of the switch, as mod_json_cdr posts and keeps them: who may bring them, and what they make good.

import type { CallLogEntry } from '../../../lib/calls/call-events.ts'
import type { CallJson } from '../../../lib/http/schemas.ts'
import type { CdrFile } from '../../stand-ins/freeswitch/contract.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { signedHeaders, startTestApp } from '../../support/app.ts'
import { databaseUrl, onServer } from '../../support/database-server.ts'
import { until } from '../../support/until.ts'

const SECRET = 'the secret of the call records: 0123'
const TOKEN = 'a-token-of-the-collector-0123456789abcdef'
const basic = (user: string, password: string) => ({ Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` })

let test: TestApp
let demo: ApiClient
let records: CdrFile[] = []

beforeAll(async () => {
	test = await startTestApp({
		freeSwitch: { speed: 1, onRecord: (record) => records.push(record) },
		overrides: { sweepMs: 20, esl: { silenceMs: 300, commandTimeoutMs: 2_000 } },
	})
	demo = await test.prepare({
		metricsToken: TOKEN,
		cdrSecret: SECRET,
		rates: [{ prefix: '+49', perMinute: { micros: '600000', currency: 'EUR' }, perCall: { micros: '0', currency: 'EUR' } }],
		dailySpendLimit: { micros: '900000000', currency: 'EUR' },
	})
})
afterEach(async () => {
	test.freeSwitch.onCommand = undefined
	records = []
	// A link that is cut again and again waits longer each time.
	await test.restart()
	demo = test.as('demo')
	test.nextcloud.exAppUrl = test.url
})
afterAll(() => test.stop())

interface Posted {
	status: number
	headers: Headers
	body: { result?: string, code?: string }
}

async function post(body: string, headers: Record<string, string> = basic('freeswitch', SECRET), query = ''): Promise<Posted> {
	const answer = await fetch(`${test.url}/freeswitch/cdr${query}`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body })
	return { status: answer.status, headers: answer.headers, body: await answer.json() as object }
}

const legUuid = (leg: 'a' | 'b') => test.freeSwitch.channels().find((channel) => channel.leg === leg)?.uuid ?? ''

async function call(): Promise<string> {
	const { body } = await until(() => demo.call('+4930123400'), ({ status, text }) => {
		// The sidecar may not have read that the switch is back.
		expect(status === 202 ? 'switch_unavailable' : text).toContain('switch_unavailable')
		return status === 202
	})
	await demo.until(body.uuid, (one) => one.status === 'connected')
	return body.uuid
}

/** A call that two people had for a while, and that ended while nobody listened. */
async function unheard(endedBy: 'a' | 'b' = 'b', talkMs = 300): Promise<{ uuid: string, guess: CallJson, ends: CdrFile[] }> {
	const uuid = await call()
	const from = Date.now()
	while (Date.now() - from < talkMs) {
		await demo.get('/me')
	}
	test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
	test.freeSwitch.dropConnections()
	test.freeSwitch.hangUp(legUuid(endedBy))
	await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0 && records.length === 2)
	test.freeSwitch.onCommand = undefined
	const guess = await demo.untilEnded(uuid)
	expect(guess).toMatchObject({ outcome: 'completed', endedBy: 'system', reason: { code: 'phone_system_restarted' } })
	return { uuid, guess, ends: records.splice(0) }
}

const status = async (uuid: string) => (await demo.get<CallJson>(`/call-status/${uuid}`)).body
const log = async (uuid: string) => (await demo.get<CallLogEntry[]>(`/call/${uuid}/events`)).body
const stored = async (uuid: string) => (await test.database.query<{ talk_ms: number, cost_micros: string }>(`select talk_ms, cost_micros from calls where uuid = '${uuid}'`))[0]

describe('POST /freeswitch/cdr', () => {
	it('answers nobody while no secret is set, and then only its holder, whatever name comes with it', async () => {
		await demo.request('POST', '/admin/config', { cdrSecret: null })
		expect(await post('{}')).toMatchObject({ status: 401, body: { code: 'not_authenticated' } })
		await demo.request('POST', '/admin/config', { cdrSecret: SECRET })
		const strangers: Record<string, string>[] = [{ 'X-Nothing': '' }, basic('freeswitch', `${SECRET}x`), basic(SECRET, ''), { Authorization: `Basic ${Buffer.from(SECRET).toString('base64')}` }, { Authorization: SECRET }, signedHeaders('demo'), signedHeaders('')]
		for (const headers of strangers) {
			const answer = await post('{}', headers)
			expect([answer.status, answer.body.code, answer.headers.get('www-authenticate')]).toEqual([401, 'not_authenticated', 'Basic realm="SIPCall", charset="UTF-8"'])
		}
		const record = JSON.stringify({ variables: { uuid: 'of-somebody-else' } })
		for (const headers of [basic('freeswitch', SECRET), basic('', SECRET)]) {
			expect(await post(record, headers)).toMatchObject({ status: 200, body: { result: 'not_ours' } })
		}
		await demo.request('POST', '/admin/config', { cdrSecret: 'a-secret-without-any-space' })
		expect(await post(record, { Authorization: 'Bearer a-secret-without-any-space' })).toMatchObject({ status: 200 })
		expect(await post(record)).toMatchObject({ status: 401 })
		await demo.request('POST', '/admin/config', { cdrSecret: SECRET })
	})

	it('refuses what is no call record, and what is larger than one', async () => {
		for (const body of ['', 'hello', '{}', '{"variables":{}}', 'cdr=', '\0\u{1F600}']) {
			expect(await post(body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
		}
		const padded = (bytes: number) => JSON.stringify({ variables: { uuid: 'x', padding: 'x'.repeat(bytes) } })
		expect(await post(padded(1024 * 1024 - 100))).toMatchObject({ status: 200 })
		expect(await post(padded(1024 * 1024))).toMatchObject({ status: 413, body: { code: 'payload_too_large' } })
		expect(await post('{}', { ...basic('x', SECRET), 'Content-Encoding': 'gzip' })).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } })
	})

	it.each(['not-a-uuid', 'ffffffff-ffff-4fff-8fff-ffffffffffff', '\' or true --', '\0'])('lets a switch that others use keep nothing in its error directory: the record of the call %j is taken and forgotten', async (callUuid) => {
		expect(await post(JSON.stringify({ variables: { uuid: 'x', sipcall_call: callUuid, sipcall_leg: 'a', hangup_cause: 'NORMAL_CLEARING' } }))).toMatchObject({ status: 200, body: { result: 'not_ours' } })
	})
})

describe('the record of a leg', () => {
	it.each(['a', 'b'] as const)('whose end nobody has heard makes good what was guessed: leg %s hung up', async (endedBy) => {
		const { uuid, guess, ends } = await unheard(endedBy)
		const before = await stored(uuid)
		for (const { text } of ends) {
			expect(await post(text)).toMatchObject({ status: 200, body: { result: 'stored' } })
		}
		const corrected = await status(uuid)
		expect(corrected).toMatchObject({ status: 'ended', outcome: 'completed', endedBy: endedBy === 'a' ? 'user' : 'callee', cause: { name: 'NORMAL_CLEARING' }, version: guess.version + 2 })
		expect(corrected).not.toHaveProperty('reason')
		const after = await stored(uuid)
		expect(after?.talk_ms).toBeLessThan(before?.talk_ms ?? 0)
		expect(after?.cost_micros).toBe(String(Math.ceil((after?.talk_ms ?? 0) / 1000) * 10_000))
		expect(Date.parse(corrected.endedAt ?? '')).toBeLessThan(Date.parse(guess.endedAt ?? ''))
		expect(Date.parse(corrected.endedAt ?? '')).toBeGreaterThan(Date.parse(corrected.answeredAt ?? ''))
		expect((await log(uuid)).filter(({ type }) => type === 'corrected' || type === 'ended')).toMatchObject([
			{ type: 'ended', detail: { outcome: 'completed', cause: 'NONE' } },
			{ type: 'corrected' },
			{ type: 'corrected', detail: { outcome: 'completed', cause: 'NORMAL_CLEARING' } },
		])
	})

	it('that comes again, in whatever form and order, changes nothing', async () => {
		const { uuid, ends } = await unheard()
		const [first, second] = ends.map(({ text }) => text)
		await Promise.all([first, second, first, second, `cdr=${Buffer.from(first ?? '').toString('base64')}`].map((text) => post(text ?? '')))
		const corrected = await status(uuid)
		for (const text of [second, first]) {
			expect(await post(text ?? '', undefined, `?uuid=${uuid}`)).toMatchObject({ status: 200, body: { result: 'known' } })
		}
		expect(await status(uuid)).toEqual(corrected)
		expect((await log(uuid)).filter(({ type }) => type === 'corrected')).toHaveLength(2)
	})

	it('of a call whose ends were all heard changes nothing', async () => {
		const uuid = await call()
		test.freeSwitch.hangUp(legUuid('b'))
		const ended = await demo.untilEnded(uuid)
		await test.freeSwitch.until(() => records.length === 2)
		for (const { text } of records) {
			expect(await post(text.replace('NORMAL_CLEARING', 'USER_BUSY'))).toMatchObject({ body: { result: 'known' } })
		}
		expect(await status(uuid)).toEqual(ended)
	})

	it('is heard like an event while its call is open: the call ends by it, once', async () => {
		const uuid = await call()
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		test.freeSwitch.hangUp(legUuid('b'))
		await test.freeSwitch.until(() => records.length === 2)
		// Nobody can be asked: what the records tell is all that there is.
		for (const { text } of records) {
			expect(await post(text)).toMatchObject({ body: { result: 'stored' } })
		}
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
		expect((await log(uuid)).filter(({ type }) => type === 'ended' || type === 'corrected')).toHaveLength(1)
	})

	it('counts no call, and tells nobody of a missed one, a second time; money that is found to be spent is added', async () => {
		const sums = async () => {
			const text = await (await fetch(`${test.url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } })).text()
			return [...text.matchAll(/^(sipcall_calls_total|sipcall_call_cost_total|sipcall_talk_seconds_count)(?:\{[^}]*\})? (\S+)$/gm)].map(([line]) => line)
		}
		const { ends } = await unheard()
		const [before, notified] = [await sums(), test.nextcloud.notifications.length]
		for (const { text } of ends) {
			await post(text)
		}
		expect(await sums()).toEqual(before)
		expect(test.nextcloud.notifications).toHaveLength(notified)
	})

	it('cannot be stored while the database is away: the switch is told to come again, and then it is known', async () => {
		const { ends } = await unheard()
		const [name, server] = [/[^/]+$/.exec(test.database.url)?.[0] ?? '', databaseUrl(test.database.url, 'postgres')]
		await onServer(server, `alter database ${name} with allow_connections false`)
		await onServer(server, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and usename = current_user`)
		try {
			const answer = await post(ends[0]?.text ?? '')
			expect(answer).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } })
			expect(answer.headers.get('retry-after')).toBe('5')
		} finally {
			await onServer(server, `alter database ${name} with allow_connections true`)
		}
		expect(await post(ends[0]?.text ?? '')).toMatchObject({ status: 200, body: { result: 'stored' } })
	})

	it('of an open call does not wait for the database: it is on the disk, and is stored when that can be', async () => {
		const uuid = await call()
		test.freeSwitch.onCommand = (command) => command.startsWith('auth') ? 'drop-unheard' : undefined
		test.freeSwitch.dropConnections()
		test.freeSwitch.hangUp(legUuid('b'))
		await test.freeSwitch.until(() => records.length === 2)
		const other = new Client({ connectionString: test.database.url })
		await other.connect()
		try {
			await other.query('begin')
			await other.query('select 1 from calls where uuid = $1 for update', [uuid])
			for (const answer of await Promise.all(records.map(({ text }) => post(text)))) {
				expect(answer).toMatchObject({ status: 200, body: { result: 'stored' } })
			}
			await other.query('rollback')
		} finally {
			await other.end()
		}
		expect(await demo.untilEnded(uuid)).toMatchObject({ outcome: 'completed', endedBy: 'callee' })
		await vi.waitFor(async () => expect(await test.database.query(`select ended_by from calls where uuid = '${uuid}'`)).toEqual([{ ended_by: 'callee' }]), 10_000)
		expect(await post(records[0]?.text ?? '')).toMatchObject({ body: { result: 'known' } })
	})
})

describe('occ sipcall:cdr-import', () => {
	let folder: string
	beforeAll(async () => {
		folder = await mkdtemp(path.join(tmpdir(), 'sipcall-cdr-'))
		test.nextcloud.exAppUrl = test.url
		await test.nextcloud.disable()
		await test.nextcloud.enable()
	})
	afterAll(() => rm(folder, { recursive: true }))

	const run = async (where = folder) => (await test.nextcloud.occ('sipcall:cdr-import', [where])).output

	it('takes what the switch has kept, also in folders by date, names what cannot be read, and takes nothing twice', async () => {
		const { uuid, ends } = await unheard()
		await mkdir(path.join(folder, '2026-11-28-10-00-00'))
		const write = (name: string, text: string) => writeFile(path.join(folder, name), text)
		await write(`a_${ends[0]?.name}`, `${ends[0]?.text}\n`)
		await write(path.join('2026-11-28-10-00-00', ends[1]?.name ?? ''), `${Buffer.from(ends[1]?.text ?? '').toString('base64')}\n`)
		await write('of-somebody-else.cdr.json', JSON.stringify({ variables: { uuid: 'x' } }))
		await write('broken.cdr.json', '{"variables":')
		await write('large.cdr.json', ' '.repeat(1024 * 1024 + 1))
		await write('notes.txt', 'not a record')
		const sum = 'not of a call in the history, 2 unreadable. The files stay where they are; importing them again changes nothing.\n'
		const lines = (await run()).split(/(?<=\n)/)
		expect(lines.slice(0, -1).toSorted()).toEqual(['broken.cdr.json is no call record that can be read.\n', 'large.cdr.json is no call record that can be read.\n'])
		expect(lines.at(-1)).toBe(`Call records: 2 taken, 0 known already, 1 ${sum}`)
		expect(await status(uuid)).toMatchObject({ endedBy: 'callee' })
		expect((await demo.get<{ items: object[] }>('/admin/audit-log?action=records.imported')).body.items).toMatchObject([{ actor: { kind: 'console' } }])
		expect((await run()).split('\n').at(-2)).toBe(`Call records: 0 taken, 2 known already, 1 ${sum}`.trim())
	})

	it('says what is wrong with the folder', async () => {
		expect(await run('somewhere')).toMatch(/^Error: Give the folder’s whole path, as it is in SIPCall’s container\.\n$/)
		expect(await run('/nowhere/at/all')).toMatch(/^Error: The folder \/nowhere\/at\/all is not there/)
	})
})
