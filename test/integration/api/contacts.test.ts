// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

interface Found {
	name: string
	uid: string
	match?: string
	numbers: { e164: string, display: string, type: string }[]
}

describe('GET /contacts', () => {
	let test: TestApp
	let demo: ApiClient

	beforeAll(async () => {
		test = await startTestApp()
		demo = await test.prepare()
		test.nextcloud.addressBooks.put('demo', 'anna.vcf', 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:anna\r\nFN:Anna Weber\r\nTEL;TYPE=WORK:030 / 98 76 54\r\nTEL;TYPE=CELL:+49 171 1234567\r\nEND:VCARD\r\n')
	})

	afterAll(() => test.stop())

	it('finds a person by the beginning of a name, with numbers that can be dialled', async () => {
		const { status, body } = await demo.get<Found[]>('/contacts?search=web')
		expect(status).toBe(200)
		expect(body.find(({ uid }) => uid === 'anna')).toMatchObject({ name: 'Anna Weber', numbers: [{ e164: '+4930987654' }, { e164: '+491711234567' }] })
	})

	it('finds a person by a number, exactly', async () => {
		const { body } = await demo.get<Found[]>(`/contacts?number=${encodeURIComponent('030 987654')}`)
		expect(body).toMatchObject([{ name: 'Anna Weber', match: 'exact' }])
	})

	it('shows nobody the contacts of somebody else', async () => {
		const { body } = await test.as('guest').get<Found[]>('/contacts?search=weber')
		expect(body.some(({ uid }) => uid === 'anna')).toBe(false)
	})

	it('wants either a search or a number', async () => {
		expect(await demo.get('/contacts')).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
		expect(await demo.get('/contacts?number=hello')).toMatchObject({ status: 422, body: { code: 'invalid_number' } })
	})

	it('is 503 with Retry-After while Nextcloud is away, and calls go on', async () => {
		test.nextcloud.users.add({ id: 'late', displayName: 'Late', groups: [] })
		test.nextcloud.setAvailable(false)
		const { status, headers } = await test.as('late').get('/contacts?search=anna')
		expect(status).toBe(503)
		expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
		const call = await demo.call('+4930123401')
		expect(call.status).toBe(202)
		await demo.untilEnded(call.body.uuid)
		test.nextcloud.setAvailable(true)
	})
})
