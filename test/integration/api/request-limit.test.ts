// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TestApp } from '../../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiClient, signedHeaders, startTestApp } from '../../support/app.ts'

describe('requests', () => {
	let test: TestApp

	beforeAll(async () => {
		test = await startTestApp({ overrides: { requestLimits: { userPerMinute: 20, addressPerMinute: 10, authPerMinute: 3 } } })
	})

	afterAll(() => test.stop())

	/** As Nextcloud's PHP proxy passes a request on, with its own proof. */
	const visitor = (address: string, path: string) => fetch(`${test.url}${path}`, { headers: { ...signedHeaders(''), 'x-origin-ip': address } })

	it('of one user are refused beyond the limit with all headers, those of others are not', async () => {
		const demo = test.as('demo')
		const answers = await Promise.all(Array.from({ length: 30 }, () => demo.get('/call-history')))
		expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
		const refused = answers.find(({ status }) => status === 429)
		expect(refused?.body).toMatchObject({ code: 'rate_limited', retryAfterSec: expect.any(Number) as number })
		expect(refused?.headers.get('ratelimit-policy')).toBe('"userRequestsPerMinute";q=20;w=60')
		expect(refused?.headers.get('retry-after')).toMatch(/^\d+$/)
		expect((await test.as('guest').get('/call-history')).status).toBe(200)
	})

	it('of nobody are refused by address, sooner beneath /auth', async () => {
		const statuses = async (address: string, path: string, times: number) => {
			const answers = await Promise.all(Array.from({ length: times }, () => visitor(address, path)))
			return answers.map(({ status }) => status).toSorted()
		}
		expect(await statuses('203.0.113.1', '/me', 12)).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429])
		expect(await statuses('203.0.113.2', '/auth/login', 5)).toEqual([429, 429, 503, 503, 503])
		expect(await statuses('203.0.113.3', '/me', 1)).toEqual([401])
	})

	it('are not told apart by an address that somebody invents, nor exempt for coming through HaRP', async () => {
		const invented = await Promise.all(Array.from({ length: 15 }, (_, at) => fetch(`${test.url}/me`, { headers: { 'x-origin-ip': `198.51.100.${at}` } })))
		expect(invented.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(5)
		const throughHarp = await Promise.all(Array.from({ length: 5 }, () => fetch(`${test.url}/auth/login`, { headers: signedHeaders('') })))
		expect(throughHarp.filter(({ status }) => status === 429)).toHaveLength(2)
	})

	it('of Nextcloud itself and heartbeats are never refused', async () => {
		const nextcloud = new ApiClient(test.url, '')
		for (let count = 0; count < 30; count++) {
			expect((await nextcloud.request('POST', '/occ/status', {})).status).toBe(200)
			expect((await fetch(`${test.url}/heartbeat`)).status).toBe(200)
		}
	})
})
