// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// FreeSWITCH's configuration on the page of the connection: opened, read and copied without a mouse.

import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('what FreeSWITCH needs in its configuration', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({ settings: { gateways: ['trunk', 'spare'] } })
	})
	afterAll(() => test?.stop())

	it('is asked for when it is opened, is XML for a real parser, and is copied piece by piece', async () => {
		const page = await test.open('/admin/connection', { permissions: ['clipboard-read', 'clipboard-write'] })
		const summary = page.locator('[data-sip=snippets] summary')
		await summary.waitFor()
		expect(test.asked('GET', '/admin/freeswitch/snippets')).toEqual([])
		await summary.focus()
		await page.keyboard.press('Enter')
		const pieces = page.locator('[data-snippet]')
		await pieces.last().waitFor()
		expect(await pieces.locator('h4').allInnerTexts()).toEqual(['autoload_configs/event_socket.conf.xml', 'directory/default/sipcall.xml', 'sip_profiles/external/trunk.xml', 'sip_profiles/external/spare.xml', 'autoload_configs/json_cdr.conf.xml'])
		expect(await pieces.locator('pre').evaluateAll((texts) => texts.filter(({ textContent }) => new DOMParser().parseFromString(textContent, 'text/xml').querySelector('parsererror') !== null).length)).toBe(0)
		const copy = page.getByRole('button', { name: 'Copy sip_profiles/external/spare.xml' })
		await copy.focus()
		await page.keyboard.press('Enter')
		await page.locator('[data-snippet=gateway] [role=status]', { hasText: 'Copied' }).waitFor({ state: 'attached' })
		expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('<gateway name="spare">')
		await page.context().close()
	})

	it('scrolls a long line inside of itself on a phone', async () => {
		const page = await test.open('/admin/connection', { viewport: { width: 375, height: 800 } })
		await page.locator('[data-sip=snippets] summary').click()
		const text = page.locator('[data-snippet=user] pre')
		await text.waitFor()
		expect(await text.evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)).toBe(true)
		expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
		await page.context().close()
	})
})
