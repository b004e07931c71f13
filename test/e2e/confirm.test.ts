// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A phone link opens the page: nothing is ever dialled by that alone.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, PAGE, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('a phone link', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest()
	})
	afterAll(() => test?.stop())

	const confirm = (page: Page) => page.locator('[data-sip=confirm]')
	const posts = () => test.asked('POST', '/call').length

	it('asks first, with the contact’s name, and takes the number out of the address', async () => {
		const page = await test.open('?number=tel%3A%2B49305550100')
		await confirm(page).getByText('Erika Beispiel').waitFor()
		const text = await confirm(page).innerText()
		expect(text).toContain('+49 30 5550100')
		expect(text).toContain('Germany')
		expect(text).not.toContain('In the link')
		expect(new URL(page.url()).search).toBe('')
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('confirm-call')
		expect(posts()).toBe(0)

		await page.reload()
		await field(page).waitFor()
		expect(await confirm(page).count()).toBe(0)
		await page.context().close()
	})

	it('takes a SIP address with a whole number for the number, and no other for one', async () => {
		const page = await test.open('?number=sip%3A%2B49305550100%40example.com')
		await page.locator('[data-sip=confirm][aria-busy=false]').waitFor()
		expect(await page.locator('[data-sip=confirm]').innerText()).toContain('+49 30 5550100')
		expect(await page.locator('[data-sip=confirm-call]').getAttribute('aria-disabled')).toBeNull()
		await page.goto(`${page.url()}?number=sip%3A1007%40example.com`)
		await page.locator('[data-sip=confirm] [data-sip=refusal]').waitFor()
		expect(await page.locator('[data-sip=confirm-call]').count()).toBe(0)
		await page.context().close()
	})

	it('shows the link’s own text where it says something else than the number', async () => {
		const page = await test.open('?number=tel%3Atel%3A030%2F12%2034%2056')
		await confirm(page).locator('[data-sip=link-text]').waitFor()
		expect(await confirm(page).innerText()).toMatch(/\+49 30 123456[^]*030\/12 34 56/)
		await page.keyboard.press('Escape')
		await confirm(page).waitFor({ state: 'detached' })
		expect(posts()).toBe(0)
		await page.context().close()
	})

	it('is deaf to keys and clicks in its first half second, and to a key that is held from before', async () => {
		const early = await test.open('?number=%2B4930123456', { slowClock: true })
		await early.locator('[data-sip=confirm][aria-busy=false]').waitFor()
		await early.keyboard.press('Enter')
		await early.locator('[data-sip=confirm-call]').dblclick()
		await early.keyboard.down('Enter')
		await early.evaluate(() => {
			document.documentElement.dataset.late = 'yes'
		})
		// Still the same key, now that the page would listen.
		await early.keyboard.down('Enter')
		await early.keyboard.up('Enter')
		expect(await confirm(early).count()).toBe(1)
		expect(posts()).toBe(0)
		await early.keyboard.press('Enter')
		await card(early, '[data-status=calling_user]').waitFor()
		expect(posts()).toBe(1)
		await early.getByRole('button', { name: 'Cancel call' }).click()
		await card(early, '[data-outcome=cancelled]').waitFor()
		await early.context().close()
	})

	it.each(['Enter', 'Space'])('is deaf to %s that is held since before it was opened, until that is pressed anew', async (key) => {
		const page = await test.open('/nowhere', { slowClock: true })
		const before = posts()
		await page.keyboard.down(key)
		await page.goto(page.url().replace('/nowhere', '?number=%2B4930123467'))
		await page.locator('[data-sip=confirm][aria-busy=false]').waitFor()
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'confirm-call')
		await page.evaluate(() => {
			document.documentElement.dataset.late = 'yes'
		})
		// As the keyboard repeats it.
		await page.keyboard.down(key)
		await page.keyboard.down(key)
		await page.keyboard.up(key)
		expect(await confirm(page).count()).toBe(1)
		expect(posts()).toBe(before)
		await page.keyboard.press(key)
		await card(page, '[data-status=calling_user]').waitFor()
		expect(posts()).toBe(before + 1)
		await page.getByRole('button', { name: 'Cancel call' }).click()
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.context().close()
	})

	it('dials once, by a fresh Enter', async () => {
		const page = await test.open('?number=%2B4930123456', { slowClock: true })
		const before = posts()
		await page.locator('[data-sip=confirm][aria-busy=false]').waitFor()
		await page.evaluate(() => {
			document.documentElement.dataset.late = 'yes'
		})
		await page.keyboard.down('Enter')
		await page.keyboard.down('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		await page.keyboard.up('Enter')
		expect(posts()).toBe(before + 1)
		expect(JSON.parse(test.asked('POST', '/call').at(-1)?.body ?? '')).toMatchObject({ to: '+4930123456' })
		await page.getByRole('button', { name: 'Cancel call' }).click()
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.context().close()
	})

	it('is two clicks from a link on any page to a ringing phone', async () => {
		const page = await test.open('/nowhere', { slowClock: true })
		const before = posts()
		await page.goto('about:blank')
		// The address that the settings give to the browser, with the link in the place of its %s.
		await page.setContent(`<a href="${test.shell.url}${PAGE}?number=tel%3A%2B4930123466">+49 30 123466</a>`)
		await page.getByRole('link').click()
		await page.locator('[data-sip=confirm][aria-busy=false]').waitFor()
		expect(posts()).toBe(before)
		await page.evaluate(() => {
			document.documentElement.dataset.late = 'yes'
		})
		await page.locator('[data-sip=confirm-call]').click()
		await card(page, '[data-status=calling_user]').waitFor()
		expect(posts()).toBe(before + 1)
		await page.getByRole('button', { name: 'Cancel call' }).click()
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.context().close()
	})

	it('never offers to call an emergency number', async () => {
		const page = await test.open('?number=tel%3A112')
		await confirm(page).getByText('Use a phone to call 112.').waitFor()
		expect(await page.locator('[data-sip=confirm-call]').count()).toBe(0)
		expect(await confirm(page).locator('a[href^="tel:"]').count()).toBe(0)
		await page.context().close()
	})
})
