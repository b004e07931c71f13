// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TestApp } from '../../support/app.ts'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp } from '../../support/app.ts'

describe('Nextcloud’s log', () => {
	let test: TestApp

	beforeEach(async () => {
		test = await startTestApp()
		test.nextcloud.exAppUrl = test.url
		await test.prepare()
	})

	afterEach(() => test.stop())

	const lines = () => test.nextcloud.requests.filter(({ part, url }) => part === 'ocs' && url.includes('/api/v1/log')).length
	const lose = async () => {
		test.freeSwitch.dropConnections()
		await test.freeSwitch.until(() => test.freeSwitch.clients >= 2)
	}

	it('has the warnings while the app is enabled, and is asked for nothing while it is not', async () => {
		await test.nextcloud.disable()
		await lose()
		expect(lines()).toBe(0)
		await test.nextcloud.enable()
		await vi.waitFor(async () => {
			await lose()
			expect(lines()).toBeGreaterThan(0)
		}, { timeout: 30_000, interval: 200 })
	})
})
