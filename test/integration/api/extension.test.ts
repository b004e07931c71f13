// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallJson } from '../../../lib/http/schemas.ts'
import type { ApiClient, TestApp } from '../../support/app.ts'

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

describe('a number with an extension', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		test = await startTestApp()
		demo = await test.prepare({ gateways: ['trunk', 'backup'] })
	})

	afterAll(() => test.stop())

	it.each([
		['tel:+49-30-123401;ext=12', '12', 'send_dtmf WW12'],
		['030 123401 x12#', '12#', 'send_dtmf WW12#'],
		['+4930123401,,12*', ',12*', 'send_dtmf WWWW12*'],
	])('%j is dialled without it; whichever gateway’s leg is answered sends it', async (to, extension, application) => {
		const before = test.freeSwitch.originates.length
		const { status, body } = await demo.call(to)
		expect(status).toBe(202)
		expect(body).toMatchObject({ to: '+4930123401', extension, toDisplay: `+49 30 123401 ext. ${extension}` })
		const ended = await demo.untilEnded(body.uuid)
		expect(ended).toMatchObject({ outcome: 'completed', extension })
		expect(test.freeSwitch.originates).toHaveLength(before + 1)
		expect(test.freeSwitch.originates.at(-1)?.legs.map(({ gateway, number, variables }) => [gateway, number, variables.execute_on_answer_extension])).toEqual([
			['trunk', '+4930123401', application],
			['backup', '+4930123401', application],
		])
		const { body: history } = await demo.get<{ items: CallJson[] }>('/call-history?limit=1')
		expect(history.items).toEqual([ended])
	})

	it('stands encrypted in the database, at the same place as without one', async () => {
		const { body } = await demo.call('+49 30 123401 ext. 8675309', { key: randomUUID() })
		await demo.untilEnded(body.uuid)
		const [row] = await test.database.query<{ extension: string, row: string }>(`select extension, calls::text as row from calls where uuid = '${body.uuid}'`)
		expect(row?.extension).toMatch(/^[0-9a-f]+:[A-Za-z0-9+/=]+$/)
		expect(row?.row).not.toContain('8675309')
		const { body: found } = await demo.get<{ items: CallJson[] }>(`/call-history?number=${encodeURIComponent('030 123401')}&limit=1`)
		expect(found.items[0]).toMatchObject({ uuid: body.uuid, extension: '8675309' })
	})

	it('is left out of a call that has none', async () => {
		const { body } = await demo.call('+49 30 123401')
		expect(body).not.toHaveProperty('extension')
		await demo.untilEnded(body.uuid)
		expect(test.freeSwitch.originates.at(-1)?.legs.map(({ variables }) => variables.execute_on_answer_extension)).toEqual([undefined, undefined])
	})

	it('is another request with another extension under the same key', async () => {
		const key = randomUUID()
		const { body } = await demo.call('+49 30 123401 ext. 1', { key })
		expect(await demo.call('+49 30 123401 ext. 2', { key })).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } })
		await demo.untilEnded(body.uuid)
	})

	it.each([
		['+49 30 123401 ext. 12;api_hangup_hook=system id', 'invalid_number'],
		['+49 30 123401,12\'', 'invalid_number'],
		['+49 30 123401 ext. ${system(id)}', 'invalid_number'],
		['+49 30 123401 ext. 123456789012345678901', 'invalid_number'],
		['tel:+4930123401;ext=1;isub=2', 'invalid_number'],
		['911;ext=1', 'emergency_number'],
		['112 ext. 12', 'emergency_number'],
		['+49 900 1 234567 ext. 12', 'destination_not_allowed'],
	])('%j is refused: %s', async (to, code) => {
		const before = test.freeSwitch.originates.length
		expect(await demo.call(to)).toMatchObject({ status: 422, body: { code } })
		expect(test.freeSwitch.originates).toHaveLength(before)
	})
})
