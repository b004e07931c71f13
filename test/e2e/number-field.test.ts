// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One field for names and numbers.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, hasNumberTools, startPageTest } from '../support/page-test.ts'

async function paste(page: Page, text: string): Promise<void> {
	await field(page).fill('')
	await field(page).evaluate((input, pasted) => {
		const clipboardData = new DataTransfer()
		clipboardData.setData('text/plain', pasted)
		input.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
	}, text)
}

function untilItHolds(page: Page, text: string): Promise<unknown> {
	return page.waitForFunction((expected) => document.querySelector<HTMLInputElement>('[data-sip=field]')?.value === expected, text)
}

describe.skipIf(!browserAvailable())('the field', () => {
	let test: PageTest
	let page: Page

	beforeAll(async () => {
		test = await startPageTest()
		page = await test.open()
		await field(page).focus()
		await page.waitForFunction(hasNumberTools)
	})
	afterAll(() => test?.stop())

	it.each([
		['tel:+4930123456', '+49 30 123456'],
		['tel:tel:+49-30-123456', '+49 30 123456'],
		['tel:%2B4930%20123456', '+49 30 123456'],
		['tel:123456;phone-context=+4930', '+49 30 123456'],
		['tel:+4930123456;ext=12', '+49 30 123456 ext. 12'],
		['+49 (0)30 123456', '+49 30 123456'],
		['0049 30 123456', '+49 30 123456'],
		['030/123456', '+49 30 123456'],
		['030.12.34.56', '+49 30 123456'],
		['０３０ １２３４５６', '+49 30 123456'],
		['٠٣٠ ١٢٣٤٥٦', '+49 30 123456'],
		['\u202a+49 30\u00a0123456\u202c', '+49 30 123456'],
		['+49 30\n123456', '+49 30 123456'],
		['Tel. 030 123456 (Zentrale)', '+49 30 123456'],
		['Büro: 030 123456, Durchwahl 12', '+49 30 123456 ext. 12'],
		['+33 1 23 45 67 89', '+33 1 23 45 67 89'],
		['(030) 12 34 56', '+49 30 123456'],
	])('takes %j for %s', async (text, expected) => {
		await paste(page, text)
		await untilItHolds(page, expected)
	})

	it.each(['030 123456 / 0171 1234567', 'Tel 030 123456, Mobil 0171 1234567', '030 123456\n0171 1234567'])('asks which number of %j is meant', async (text) => {
		await paste(page, text)
		const choices = page.locator('[data-sip=choices] [data-row]')
		await choices.nth(1).waitFor()
		expect(await choices.locator('bdi').allInnerTexts()).toEqual(['+49 30 123456', '+49 171 1234567'])
		await choices.nth(1).click()
		await untilItHolds(page, '+49 171 1234567')
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('call')
	})

	it('puts spaces into what is typed, and leaves what is mended in the middle alone', async () => {
		await field(page).fill('')
		await field(page).pressSequentially('+4930123456')
		await untilItHolds(page, '+49 30 123456')
		await page.keyboard.press('Home')
		await page.keyboard.press('ArrowRight')
		await page.keyboard.press('Delete')
		await untilItHolds(page, '+9 30 123456')
		expect(await field(page).evaluate((input) => input instanceof HTMLInputElement && input.selectionStart)).toBe(1)
	})

	it('finds contacts while a name is typed, and calls the first one by ↓ Enter Enter', async () => {
		await field(page).fill('')
		await field(page).pressSequentially('eri')
		await page.locator('[data-sip=contacts]').getByText('Erika Beispiel').first().waitFor()
		await page.waitForFunction(() => document.querySelector('[data-sip=found]')?.textContent?.includes('2 contacts') === true)
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('Enter')
		await untilItHolds(page, '+49 170 1234567')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		expect(test.asked('POST', '/call').map(({ body }) => JSON.parse(body).to)).toEqual(['+49 170 1234567'])
		expect(await card(page).innerText()).toContain('Erika Beispiel is called when you answer')
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.locator('[data-sip=close]').click()
	})

	it('calls a contact at once by the phone button of its row', async () => {
		const before = test.asked('POST', '/call').length
		await field(page).fill('Beispiel')
		await page.getByRole('button', { name: 'Call Erika Beispiel, Work, +49 30 5550100' }).dblclick()
		await card(page, '[data-status=calling_user]').waitFor()
		expect(test.asked('POST', '/call').length).toBe(before + 1)
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.locator('[data-sip=close]').click()
	})

	it('posts one call, with one key, for a double click', async () => {
		const before = test.asked('POST', '/call').length
		await field(page).fill('030 123456')
		await page.locator('[data-sip=call]').dblclick()
		await card(page, '[data-status=calling_user]').waitFor()
		const posted = test.asked('POST', '/call').slice(before)
		expect(posted.map(({ headers }) => typeof headers['idempotency-key'])).toEqual(['string'])
		expect(await field(page).getAttribute('aria-describedby')).toBeNull()
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.locator('[data-sip=close]').click()
	})

	it('never sends an emergency number, and links to it only on a phone', async () => {
		const before = test.asked('POST', '/call').length
		await field(page).fill('112')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=emergency]').waitFor()
		expect(await page.locator('[data-sip=emergency] a').count()).toBe(0)
		await field(page).fill('1121')
		await page.locator('[data-sip=emergency]').waitFor({ state: 'detached' })

		const phone = await test.open('', { hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } })
		await field(phone).fill('112')
		await phone.locator('[data-sip=emergency] a[href="tel:112"]').waitFor()
		expect(test.asked('POST', '/call').length).toBe(before)
		await phone.context().close()
	})

	it('is left by Escape empty, and reached by / from anywhere', async () => {
		await field(page).fill('030')
		await page.keyboard.press('Escape')
		await untilItHolds(page, '')
		await page.locator('[data-filter=answered]').focus()
		await page.keyboard.press('/')
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('field')
		expect(await field(page).inputValue()).toBe('')
	})

	it('says what is missing', async () => {
		await page.locator('[data-sip=call]').click()
		await page.getByText('Type a name or number first.').waitFor()
		await field(page).fill('Nobody at all')
		await page.getByText('No contact or call matches “Nobody at all”.').waitFor()
		await page.keyboard.press('Enter')
		await page.getByText('Choose a contact, or type a number.').waitFor()
	})
})
