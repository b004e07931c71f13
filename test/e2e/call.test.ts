// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A call as a person sees it: the built page in Chromium, Nextcloud's proxy, the sidecar, PostgreSQL, the switch.

import type { Browser, Page } from 'playwright-core'
import type { NextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import type { TestApp } from '../support/app.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import { APP_SECRET, startTestApp } from '../support/app.ts'
import { browserAvailable, launchBrowser } from '../support/browser.ts'
import { buildPage } from '../support/page.ts'

describe.skipIf(!browserAvailable())('the page', () => {
	let test: TestApp
	let shell: NextcloudShell
	let browser: Browser
	let page: Page

	beforeAll(async () => {
		await buildPage()
		// Phones ring until the test picks up: no step waits for a clock.
		test = await startTestApp({ freeSwitch: { speed: 1, pace: { phoneRings: Infinity, destinationRings: Infinity } }, overrides: { sweepMs: 100 } })
		const demo = await test.prepare()
		await demo.request('PUT', '/me', { devices: [] })
		shell = await startNextcloudShell({ appId: 'sipcall', appSecret: APP_SECRET, appVersion: '0.1.0', exAppUrl: test.url })
		browser = await launchBrowser()
	})

	afterAll(async () => {
		await browser.close()
		await shell.stop()
		await test.stop()
	})

	function leg(role: 'a' | 'b'): string {
		return test.freeSwitch.channels().find((channel) => channel.leg === role)?.uuid ?? ''
	}

	const card = (selector: string) => page.locator(`[data-sip=card]${selector}`)

	it('asks for a phone first, then takes a call from the typed number through every status into the history', async () => {
		page = await browser.newPage()
		await page.goto(shell.url)
		await page.getByText('Which phone should ring?').waitFor()
		expect(await page.locator('[data-sip=field], [data-sip=call]').count()).toBe(0)
		await page.getByLabel('Extension').fill('1000')
		await page.getByRole('button', { name: 'Use this phone' }).click()

		await page.getByLabel('Name or number').fill('030 / 12 34 56')
		await page.keyboard.press('Enter')
		await card('[data-status=calling_user]').waitFor()
		expect(await card('').innerText()).toContain('Pick up your phone')

		test.freeSwitch.answer(leg('a'))
		await card('[data-status=ringing]').waitFor()
		expect(await card('').innerText()).toContain('Ringing at +49 30 123456')

		test.freeSwitch.answer(leg('b'))
		await card('[data-status=connected]').waitFor()
		expect(await card('').innerText()).toContain('Talking to +49 30 123456')

		test.freeSwitch.hangUp(leg('b'))
		await card('[data-status=ended][data-outcome=completed]').waitFor()
		expect(await card('').innerText()).toContain('+49 30 123456 hung up.')
		await page.locator('[data-sip=row][data-outcome=completed]').first().waitFor()
	})

	it('finds a live call again after a reload, and hangs it up', async () => {
		await page.getByLabel('Name or number').fill('+4930123457')
		await page.getByRole('button', { name: 'Call', exact: true }).click()
		await card('[data-status=calling_user]').waitFor()
		await page.reload()
		await card('[data-status=calling_user]').waitFor()
		await page.getByRole('button', { name: 'Cancel call' }).click()
		await card('[data-status=ended][data-outcome=cancelled]').waitFor()
		expect(test.freeSwitch.channels()).toEqual([])
	})

	it('keeps a number that was refused, and says why and who can help', async () => {
		await page.getByLabel('Name or number').fill('+33 1 23 45 67 89')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=refusal]').waitFor()
		expect(await page.locator('[data-sip=refusal]').innerText()).toMatch(/not allowed.*Rule: Allowed countries/si)
		expect(await page.getByLabel('Name or number').inputValue()).toBe('+33 1 23 45 67 89')
		expect(test.freeSwitch.originates.length).toBe(2)
	})
})
