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

	/** What is heard by whoever picks up the n-th call. */
	async function listen(call: number): Promise<string> {
		const { freeSwitch } = test.app
		await freeSwitch.until(() => freeSwitch.channels().length > 0)
		freeSwitch.answer(freeSwitch.channels()[0]?.uuid ?? '')
		await freeSwitch.until(() => freeSwitch.heard.length >= call)
		return freeSwitch.heard[call - 1]?.texts[0] ?? ''
	}

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
		const code = await listen(1)
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

	it('is locked by three wrong codes, with the time from which another call can be asked for', async () => {
		await test.demo.request('PUT', '/me', { devices: [{ kind: 'phone', label: 'Mobile', address: '+491711234568' }] })
		page = await test.open('', { ownClock: true })
		const called = () => test.shell.requests.filter(({ part, url, userId }) => part === 'proxy' && userId === 'demo' && url.endsWith('/verify')).length
		const button = page.locator('[data-sip=call-with-code]')
		const field = page.locator('[data-sip=code]')
		await button.click()
		await field.waitFor()
		const code = await listen(2)
		await page.keyboard.type(wrong(code))
		await verify().getByText('2 tries left.').waitFor()
		await field.fill(wrong(code))
		await verify().getByText('1 try left.').waitFor()
		await field.fill(wrong(code))
		await verify().locator('[role=alert]').getByText(/^Too many wrong codes\. You can ask for a new call from \d+:\d\d:\d\d\s[AP]M on\.$/).waitFor()
		expect(await field.count()).toBe(0)
		expect(await button.getAttribute('aria-disabled')).toBe('true')
		await verify().getByText(/^Another call in \d+ seconds?$/).waitFor()
		await page.keyboard.press('Enter')
		await button.click({ force: true })
		expect(called()).toBe(1)
		await page.clock.runFor(61_000)
		const asked = page.waitForRequest('**/verify')
		await verify().locator('[data-sip=call-with-code]:not([aria-disabled])').click()
		await asked
		await page.context().close()
	})
})
