// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ApiClient, TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp } from '../../support/app.ts'

describe('a call that failed', () => {
	let test: TestApp
	let demo: ApiClient

	beforeEach(async () => {
		test = await startTestApp()
		demo = await test.prepare()
	})

	afterEach(() => test.stop())

	const sent = () => test.nextcloud.requests.filter(({ url, status }) => url.includes('/notification') && status !== 0)

	async function untilSent(count: number): Promise<void> {
		while (sent().length < count) {
			await new Promise(setImmediate)
		}
	}

	it('is told to its user by Nextcloud, with a link to it and a number that only the user knows', async () => {
		const { body } = await demo.call('+4930123407')
		const ended = await demo.untilEnded(body.uuid)
		expect(ended.outcome).toBe('failed')
		await untilSent(1)
		expect(test.nextcloud.notifications('demo')).toMatchObject([{
			object_type: 'call',
			object_id: body.uuid,
			subject: 'Your call to +49 ••••07 failed',
			message: 'Your administrator can fix this. Open it to see what happened.',
			link: `${test.nextcloud.url}/index.php/apps/app_api/embedded/sipcall/calls/call/${body.uuid}`,
		}])
		expect(sent().map((request) => request.body).join()).not.toContain('30123407')
		expect(test.nextcloud.notifications('guest')).toEqual([])
	})

	it('is told in the user’s language', async () => {
		test.nextcloud.users.add({ id: 'demo', displayName: 'Demo', groups: ['admin'], language: 'de_DE' })
		await test.restart()
		demo = test.as('demo')
		const { body } = await demo.call('+4930123407')
		await demo.untilEnded(body.uuid)
		await untilSent(1)
		expect(test.nextcloud.notifications('demo')[0]?.subject).toBe('Der Anruf an +49 ••••07 ist fehlgeschlagen')
	})

	it('is told once; what people heard on the phone themselves is not told at all', async () => {
		for (const number of ['+4930123417', '+4930123421', '+4930123401', '+4930123407']) {
			const { body } = await demo.call(number)
			await demo.untilEnded(body.uuid)
		}
		await untilSent(1)
		// What is written into a call that has ended is no new failure.
		const { body } = await demo.get<{ items: { uuid: string }[] }>('/call-history?outcome=failed')
		await demo.request('PUT', `/call/${body.items[0]?.uuid}`, { note: 'Ask the trunk' })
		expect(sent()).toHaveLength(1)
	})

	it('stands in the history although Nextcloud takes no notification', async () => {
		await demo.get('/me')
		test.nextcloud.setAvailable(false)
		const { body } = await demo.call('+4930123407')
		await demo.untilEnded(body.uuid)
		test.nextcloud.setAvailable(true)
		expect((await demo.get<{ items: { uuid: string }[] }>('/call-history')).body.items.map(({ uuid }) => uuid)).toEqual([body.uuid])
	})
})
