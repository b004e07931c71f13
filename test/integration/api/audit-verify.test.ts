// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The audit log as a file, and its check from outside of the console.

import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'
import { until } from '../../support/until.ts'

interface Verification {
	state: string
	entries?: number
	checkedAt?: string
	seal?: string
	broken?: { seq: number, why: string }
}

let test: TestApp
let demo: ApiClient

beforeAll(async () => {
	test = await startTestApp()
	demo = await test.prepare()
	for (const maxCallSec of [600, 900, 1200]) {
		await demo.request('POST', '/admin/config', { maxCallSec })
	}
})

afterAll(() => test.stop())

const csv = (query = '') => demo.request('GET', `/admin/audit-log${query}`, undefined, { Accept: 'text/csv' })
const count = async () => Number((await test.database.query<{ count: string }>('select count(*) from audit_log'))[0]?.count)

async function verified(): Promise<Verification> {
	const { status, body } = await until(() => demo.get<Verification>('/admin/audit-log/verify'), (answer) => answer.body.state !== 'running')
	expect(status).toBe(200)
	return body
}

describe('the audit log as CSV', () => {
	it('has every entry that fits, and its own export first', async () => {
		const { status, headers, text } = await csv()
		expect([status, headers.get('content-type'), headers.get('content-disposition')]).toEqual([200, 'text/csv; charset=utf-8; header=present', 'attachment; filename="audit-log.csv"'])
		const lines = text.trimEnd().split('\r\n')
		expect(lines[0]).toBe('seq,at,actorKind,actorRef,actorId,action,targetRef,targetId,detail')
		expect(lines).toHaveLength(1 + await count())
		expect(lines[1]).toMatch(/^\d+,[\dTZ:.-]+,admin,[0-9a-f]{32},demo,audit\.exported,,,\{\}$/)
		expect(lines[2]).toContain('"{""changes"":[{""key"":""maxCallSec"",""new"":1200,""old"":900}]}"')
	})

	it('is narrowed as the list is, whatever the limit, and the entry tells how', async () => {
		const { text } = await csv('?action=settings.changed&limit=1')
		expect(text.trimEnd().split('\r\n').slice(1).every((line) => line.includes(',settings.changed,'))).toBe(true)
		expect(text.trimEnd().split('\r\n').length).toBeGreaterThan(3)
		const { body } = await demo.get<{ items: { detail: unknown }[] }>('/admin/audit-log?action=audit.exported&limit=1')
		expect(body.items[0]?.detail).toEqual({ action: 'settings.changed' })
	})

	it('leaves no entry when it is refused', async () => {
		const before = await count()
		expect(await csv('?cursor=nonsense')).toMatchObject({ status: 400 })
		expect(await csv('?action=nothing')).toMatchObject({ status: 400 })
		expect(await test.as('guest').request('GET', '/admin/audit-log', undefined, { Accept: 'text/csv' })).toMatchObject({ status: 403 })
		expect(await count()).toBe(before)
	})
})

describe('the check of the audit log', () => {
	it('changes nothing until it is asked for, and then tells how far it came and the seal of the last entry', async () => {
		expect((await demo.get('/admin/audit-log/verify')).body).toEqual({ state: 'none' })
		expect((await demo.get('/admin/audit-log/verify')).body).toEqual({ state: 'none' })
		expect(await demo.request('POST', '/admin/audit-log/verify', {})).toMatchObject({ status: 202, body: { state: expect.stringMatching(/running|done/) } })
		const state = await verified()
		expect(state).toEqual({ state: 'done', startedAt: expect.any(String), checkedAt: expect.any(String), entries: await count(), seal: expect.stringMatching(/^[0-9a-f]{16}$/) })
	})

	it('names the first entry that is not in order, and why', async () => {
		await test.database.query('grant update on audit_log to current_user; alter table audit_log disable trigger user; update audit_log set action = \'user.locked\' where seq = 3')
		await demo.request('POST', '/admin/audit-log/verify', {})
		expect(await verified()).toMatchObject({ state: 'done', entries: 2, broken: { seq: 3, why: 'It, or an entry before it, was changed, moved or put in.' } })
		const { body } = await demo.get<{ parts: unknown[] }>('/admin/health')
		expect(body.parts).toContainEqual(expect.objectContaining({ id: 'records', state: 'down', code: 'audit_broken', values: { seq: 3 } }))
	})
})
