// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Console commands through Nextcloud, and what they leave behind.

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startApp } from '../../../lib/app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { USER_TABLES } from '../../../lib/db/repositories/user-data-repository.ts'
import { OCC_COMMANDS } from '../../../lib/nextcloud/occ-commands.ts'
import { startTestApp } from '../../support/app.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

describe('a console command', () => {
	let test: TestApp
	let demo: ApiClient
	let storage: string

	beforeEach(async () => {
		storage = await mkdtemp(path.join(tmpdir(), 'sipcall-occ-'))
		test = await startTestApp({ environment: { APP_PERSISTENT_STORAGE: storage }, overrides: { sweepMs: 50 } })
		demo = await test.prepare()
		test.nextcloud.exAppUrl = test.url
		await test.nextcloud.disable()
		expect(await test.nextcloud.enable()).toMatchObject({ exitCode: 0 })
	})

	afterEach(async () => {
		await test.stop()
		await rm(storage, { recursive: true })
	})

	async function stored(userId: string): Promise<Record<string, number>> {
		const client = new pg.Client(test.database.url)
		await client.connect()
		const counts: Record<string, number> = {}
		for (const table of USER_TABLES) {
			counts[table] = (await client.query(`select from ${table} where user_id = $1`, [userId])).rowCount ?? 0
		}
		await client.end()
		return counts
	}

	it('is served for each that Nextcloud is told of', async () => {
		expect(test.nextcloud.registrations.occCommands.map(({ name }) => name)).toEqual(OCC_COMMANDS.map(({ name }) => name))
		for (const { name, arguments: args = [] } of OCC_COMMANDS) {
			expect(await test.nextcloud.occ(name, args.map(() => 'nobody'))).toMatchObject({ exitCode: 0 })
		}
	})

	it('sets how much is logged, and nothing that is no level', async () => {
		const log = Object.assign(new RecordedLog(), { level: 'info' })
		const app = await startApp({ ...loadConfig(test.environment), listen: { host: '127.0.0.1', port: 0 } }, log)
		try {
			test.nextcloud.exAppUrl = app.url
			expect((await test.nextcloud.occ('sipcall:log-level', ['debug'])).output).toMatch(/^This server logs debug from now on/)
			expect(log.level).toBe('debug')
			expect((await test.nextcloud.occ('sipcall:log-level', ['loud'])).output).toBe('Error: “loud” is none of error, warn, info, debug.\n')
			expect(log.level).toBe('debug')
		} finally {
			await app.stop()
		}
	})

	it('tells how things are, and what is wrong', async () => {
		expect((await test.nextcloud.occ('sipcall:status')).output).toMatch(/^ok {4}Nextcloud answers\.\nok {4}SIPCall 0\.1\.0 is up\.\nok {4}PostgreSQL answers\.\n.*Redis.*\nok {4}FreeSWITCH 1\.10\.12-release is connected\. Calls a second: at most 14\.\nWARN {2}Gateway trunk: Nobody knows .*\nok {4}The phone company cannot be asked.*\nok {4}Everybody may call\.\nWARN {2}Nothing limits what .*\nok {4}Other programs .*\nOpen calls: 0\n$/)
		await demo.request('POST', '/admin/config', { allowedGroups: [] })
		expect((await test.nextcloud.occ('sipcall:status')).output).toMatch(/WARN {2}Nobody can call: no group/)
	})

	it('purges a user: first it counts, with --yes everything of the user and nothing of others goes', async () => {
		const guest = test.as('guest')
		await guest.request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
		const own = await demo.call('+4930123417', { key: 'one' })
		await demo.untilEnded(own.body.uuid)
		const others = await guest.call('+4930123417', { key: 'one' })
		await guest.untilEnded(others.body.uuid)

		expect((await test.nextcloud.occ('sipcall:user:purge', ['demo'])).output).toMatch(/^SIPCall holds 1 call, 1 phone and 0 sign-ins of demo\. Add --yes/)
		expect(await stored('demo')).toMatchObject({ calls: 1, devices: 1, idempotency_keys: 1 })
		expect((await test.nextcloud.occ('sipcall:user:purge', ['demo'], { yes: true })).output).toMatch(/^Deleted 1 call, 1 phone and 0 sign-ins of demo\. Receipt [0-9a-f-]{36}\.\n$/)
		expect(Object.values(await stored('demo')).every((count) => count === 0)).toBe(true)
		expect(await stored('guest')).toMatchObject({ calls: 1, devices: 1, idempotency_keys: 1 })
		expect((await demo.get(`/call-status/${own.body.uuid}`)).status).toBe(404)
	})

	it('ends a live call before it purges its user', async () => {
		const { body } = await demo.call('+4930123400')
		await demo.until(body.uuid, ({ status }) => status === 'connected')
		expect((await test.nextcloud.occ('sipcall:user:purge', ['demo'], { yes: true })).output).toMatch(/^Deleted 1 call, 1 phone and 0 sign-ins of demo\. Receipt [0-9a-f-]{36}\.\n$/)
		await test.freeSwitch.until(() => test.freeSwitch.channels().length === 0)
	})

	it('prints all that is held of a user as one JSON document, many pages of calls and nobody else’s', async () => {
		const placed: string[] = []
		for (let count = 0; count < 3; count++) {
			const { body } = await demo.call('+4930123417', { note: `Note ${count}` })
			await demo.untilEnded(body.uuid)
			placed.unshift(body.uuid)
		}
		const { output } = await test.nextcloud.occ('sipcall:export', ['demo'])
		const document = JSON.parse(output) as { schema: number, userId: string, devices: unknown[], calls: (CallJson & { rawTo: string, events: { type: string }[] })[] }
		expect(document).toMatchObject({ schema: 1, userId: 'demo', devices: [{ address: '1000', label: 'Desk' }] })
		expect(document.calls.map(({ uuid }) => uuid)).toEqual(placed)
		expect(document.calls[0]).toMatchObject({ to: '+4930123417', rawTo: '+4930123417', note: 'Note 2', status: 'ended' })
		expect(document.calls[0]?.events.map(({ type }) => type).at(-1)).toBe('ended')
		expect(JSON.parse((await test.nextcloud.occ('sipcall:export', ['nobody'])).output)).toMatchObject({ devices: [], calls: [] })
	})

	it('makes a backup, lists it, and restores it; what came after it is gone', async () => {
		const kept = await demo.call('+4930123417', { note: 'kept' })
		await demo.untilEnded(kept.body.uuid)
		const { output } = await test.nextcloud.occ('sipcall:backup')
		const name = /\nMade (\S+) .*MB\n$/.exec(output)?.[1] ?? ''
		expect(name).toMatch(/^sipcall-\w+-manual\.backup$/)
		expect((await test.nextcloud.occ('sipcall:backup', [], { list: true })).output).toBe(`${name}  0.0 MB\n`)
		const lost = await demo.call('+4930123417')
		await demo.untilEnded(lost.body.uuid)

		expect((await test.nextcloud.occ('sipcall:restore', [name])).output).toMatch(/Restored\. SIPCall serves again\.\n$/)
		expect((await demo.get(`/call-status/${kept.body.uuid}`)).body).toMatchObject({ note: 'kept', status: 'ended' })
		expect((await demo.get(`/call-status/${lost.body.uuid}`)).status).toBe(404)
		expect((await test.nextcloud.occ('sipcall:restore', ['../../etc/passwd'])).output).toMatch(/\nError: /)
	})

	it('says in its text what is missing, since a failed status shows no text at all', async () => {
		const answer = await test.as('').request('POST', '/occ/export', { occ: { arguments: {}, options: null } })
		expect(answer).toMatchObject({ status: 200, text: 'Error: The argument “user” is missing.\n' })
	})

	it('knows every table that names a user', async () => {
		const client = new pg.Client(test.database.url)
		await client.connect()
		const { rows } = await client.query<{ table_name: string }>('select table_name from information_schema.columns where table_schema = \'public\' and column_name = \'user_id\' order by 1')
		await client.end()
		expect(rows.map((row) => row.table_name)).toEqual([...USER_TABLES].sort())
	})
})
