// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The first visit with a phone number: it rings for nobody before its owner has typed the code that it says.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { field, PAGE, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('a phone number', () => {
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		test = await startPageTest({ settings: { allowedCountries: ['DE'], deviceVerification: { phone: 'code', sip: 'none' } } })
	})
	afterAll(() => test?.stop())

	const verify = () => page.locator('[data-sip=verify]')
	const wrong = (code: string) => String((Number(code) + 1) % 10_000).padStart(4, '0')

	it('may not call before it is verified', async () => {
		page = await test.open('', { user: 'guest' })
		await page.getByLabel('Extension or phone number').fill('0171 1234567')
		await page.getByRole('button', { name: 'Use this phone' }).click()
		await page.getByText('Verify a phone first.').waitFor()
		expect(await field(page).count()).toBe(0)
		expect(await verify().innerText()).toContain('+491711234567')
	})

	it('is called with a code, tells how many tries are left, and calls once the code is right', async () => {
		await page.locator('[data-sip=call-with-code]').click()
		await page.locator('[data-sip=code]').waitFor()
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('code')
		const { freeSwitch } = test.app
		await freeSwitch.until(() => freeSwitch.channels().length > 0)
		freeSwitch.answer(freeSwitch.channels()[0]?.uuid ?? '')
		await freeSwitch.until(() => freeSwitch.heard.length > 0)
		const code = freeSwitch.heard[0]?.texts[0] ?? ''
		await page.keyboard.type(wrong(code))
		await verify().getByText('That code is not right. 2 tries left.').waitFor()
		expect(await page.locator('[data-sip=call-with-code]').getAttribute('aria-disabled')).toBe('true')
		await page.locator('[data-sip=code]').fill(code)
		await field(page).waitFor()
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'field')
		expect(await verify().count()).toBe(0)
	})

	it('is followed by the offer to open phone links with SIPCall, which is tested there and then', async () => {
		const offer = page.locator('[data-sip=link-offer]')
		await offer.waitFor()
		// The number field keeps the focus: the offer is no step that has to be taken.
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('field')
		await page.evaluate(() => {
			navigator.registerProtocolHandler = (scheme, url) => {
				document.documentElement.dataset[scheme] = String(url)
			}
		})
		await offer.getByRole('button', { name: 'Open phone links with SIPCall' }).click()
		expect(await page.evaluate(() => document.documentElement.dataset.tel)).toBe(`${test.shell.url}${PAGE}?number=%s`)
		expect(await offer.getByRole('link', { name: 'Test a phone link' }).getAttribute('href')).toBe('tel:+000')
		const opened = await test.open('?number=tel%3A%2B000', { beside: page, user: 'guest' })
		await opened.locator('[data-sip=link-test]').waitFor()
		await opened.close()
		await offer.getByText('Phone links in this browser open SIPCall.').waitFor()
		await offer.getByRole('button', { name: 'Close' }).click()
		await offer.waitFor({ state: 'detached' })
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('field')
		await page.reload()
		await field(page).waitFor()
		expect(await offer.count()).toBe(0)
	})

	it('takes another name and stays verified, and is verified anew at another address', async () => {
		await page.goto(`${test.shell.url}${PAGE}/settings/devices`)
		const devices = page.locator('[data-sip=devices]')
		const change = async (button: string, label: string, text: string) => {
			await devices.getByRole('button', { name: button }).click()
			await devices.getByLabel(label).fill(text)
			await devices.getByRole('button', { name: 'Save' }).click()
		}
		await change('Change Desk phone', 'Name of this phone', 'Mobile')
		await devices.getByRole('button', { name: 'Change Mobile' }).waitFor()
		expect(await devices.getByText('Not verified').count()).toBe(0)
		await change('Change Mobile', 'Extension or phone number', '0171 7654321')
		await devices.getByText('Not verified').waitFor()
		await devices.locator('[data-sip=verify]').getByText('+491717654321').waitFor()
		await page.context().close()
	})
})
