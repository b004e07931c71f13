// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A table of prices, as an administrator brings it to the page.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startPageTest } from '../support/page-test.ts'

describe('a table of prices on the page', () => {
	let test: PageTest
	let page: Page

	beforeAll(async () => {
		test = await startPageTest({ settings: { rates: [{ prefix: '+49', perMinute: { micros: '20000', currency: 'EUR' } }] } })
	})

	beforeEach(async () => {
		page = await test.open('/admin/policy')
		await page.locator('[data-sip=rate-table] input').waitFor()
	})

	afterEach(() => page.context().close())

	afterAll(() => test.stop())

	const choose = (csv: string) => page.getByLabel('Replace all prices by a table (CSV)').setInputFiles({ name: 'prices.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) })
	const rates = async () => (await test.demo.get<{ rates: { prefix: string }[] }>('/admin/config')).body.rates.map(({ prefix }) => prefix)

	it('is chosen by keyboard, shown as a change, and in force once the policy is saved', async () => {
		const chooser = page.waitForEvent('filechooser')
		await page.getByLabel('Replace all prices by a table (CSV)').focus()
		await page.keyboard.press('Enter')
		await (await chooser).setFiles({ name: 'prices.csv', mimeType: 'text/csv', buffer: Buffer.from(`prefix,perMinute,currency\n${Array.from({ length: 60 }, (_none, at) => `+43${at + 10},0.03,EUR`).join('\n')}\n`) })
		await page.getByText('60 prices were read. They are in force once the policy is saved.').waitFor()
		expect(await page.locator('.rates > li').count()).toBe(50)
		await page.getByText('10 more prices are not shown.').waitFor()
		await page.locator('[data-change=rates]').getByText('40 more').waitFor()
		expect(await rates()).toEqual(['+49'])
		await page.getByRole('button', { name: 'Save policy' }).click()
		await page.getByText('The policy is saved.', { exact: true }).waitFor()
		expect(await rates()).toHaveLength(60)
	})

	it('with a wrong line changes nothing, and says which line and why; mended it can be chosen again', async () => {
		await choose('prefix,perMinute,currency\n+49,0.02,EUR\n49x,0.02,EUR\n+43,0.02,USD\n')
		const alert = page.locator('[data-sip=rate-table] [role=alert]')
		await alert.getByText('The table was not read, and nothing is changed.').waitFor()
		expect(await alert.getByRole('listitem').allInnerTexts()).toEqual(['Line 3: Begin with + and the country code, as in +4930.', 'Line 4: All amounts have one currency.'])
		expect(await page.locator('[data-change]').count()).toBe(0)
		await choose('prefix,perMinute,currency\n+41,0.02,EUR\n')
		await page.getByText('1 price was read. It is in force once the policy is saved.').waitFor()
		expect(await alert.count()).toBe(0)
	})
})
