// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Page } from 'playwright-core'
import type { MeJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { field, PAGE, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('the settings', () => {
	let test: PageTest
	let page: Page

	beforeAll(async () => {
		test = await startPageTest()
		page = await test.open('/settings/devices')
	})
	afterAll(() => test?.stop())

	const phones = async () => (await test.demo.get<MeJson>('/me')).body.devices.map(({ label, address, isDefault }) => `${label} ${address}${isDefault ? ' *' : ''}`)
	const list = () => page.locator('[data-sip=devices] li')

	it('add a phone, and say what is wrong with one under its field', async () => {
		await list().first().waitFor()
		await page.getByRole('button', { name: 'Add a phone' }).click()
		await page.getByLabel('Extension or phone number').fill('10 00')
		await page.getByRole('button', { name: 'Add phone' }).click()
		await page.getByText('An extension has letters').waitFor()
		await page.getByLabel('Extension or phone number').fill('1001')
		await page.keyboard.press('Enter')
		await page.getByText('Give the phone a name.').waitFor()
		await page.getByLabel('Name of this phone').fill('Kitchen')
		await page.keyboard.press('Enter')
		await list().nth(1).waitFor()
		expect(await phones()).toEqual(['Desk 1000 *', 'Kitchen 1001'])
	})

	it('let another phone ring first, change one and remove one', async () => {
		await page.getByRole('radio', { name: /Kitchen/ }).click()
		await page.waitForFunction(() => document.querySelectorAll<HTMLInputElement>('[data-sip=devices] input[type=radio]')[1]?.checked)
		await page.waitForFunction(() => document.querySelector<HTMLSelectElement>('[data-sip=device]')?.selectedOptions[0]?.text === 'Kitchen')
		expect(await phones()).toEqual(['Desk 1000', 'Kitchen 1001 *'])
		await page.getByRole('button', { name: 'Change Desk' }).click()
		await page.getByLabel('Name of this phone').fill('Office')
		await page.getByRole('button', { name: 'Save' }).click()
		await page.getByRole('button', { name: 'Change Office' }).waitFor()
		await page.getByRole('button', { name: 'Remove Kitchen' }).click()
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=devices] li').length === 1)
		expect(await phones()).toEqual(['Office 1000 *'])
	})

	it('tell that phone links work, as soon as one has opened a page', async () => {
		await page.getByRole('button', { name: 'Open phone links with SIPCall' }).waitFor()
		expect(await page.getByRole('link', { name: 'Test a phone link' }).getAttribute('href')).toBe('tel:+000')
		const opened = await test.open('?number=tel%3A%2B000', { beside: page })
		await opened.locator('[data-sip=link-test]').waitFor()
		expect(await opened.locator('[data-sip=confirm]').count()).toBe(0)
		await opened.close()
		await page.getByText('Phone links in this browser open SIPCall.').waitFor()
	})

	it('register phone links and SIP links with the browser, each with the page’s own address', async () => {
		const other = await test.open('')
		await other.addInitScript(() => {
			navigator.registerProtocolHandler = (scheme, url) => {
				document.documentElement.dataset[scheme] = String(url)
			}
		})
		await other.goto(`${test.shell.url}${PAGE}/settings/links`)
		await other.getByRole('button', { name: 'Open phone links with SIPCall' }).click()
		await other.getByRole('button', { name: 'Also open SIP links' }).click()
		const address = `${test.shell.url}${PAGE}?number=%s`
		expect(await other.evaluate(() => ({ ...document.documentElement.dataset }))).toMatchObject({ tel: address, sip: address })
		await other.context().close()
	})

	it('offer a bookmark that asks about the number that is marked, and dials nothing', async () => {
		const other = await test.open('/settings/links')
		const bookmark = await other.locator('[data-sip=bookmark]').getAttribute('href') ?? ''
		expect(bookmark).toMatch(/^javascript:/)
		// Some other page, where the number is marked and the bookmark opened.
		await other.setContent('<p>Call us: <b>030 5550100</b></p>')
		await other.evaluate(() => getSelection()?.selectAllChildren(document.querySelector('b') ?? document.body))
		const calls = test.asked('POST', '/call').length
		const opened = other.context().waitForEvent('page')
		await other.evaluate(decodeURIComponent(bookmark.slice('javascript:'.length)))
		const asking = await opened
		await asking.locator('[data-sip=confirm]').getByText('+49 30 5550100').waitFor()
		expect(test.asked('POST', '/call').length).toBe(calls)
		await other.context().close()
	})

	it('go by Escape, and leave the list behind them', async () => {
		await page.keyboard.press('Escape')
		await page.locator('[data-sip=devices]').waitFor({ state: 'detached' })
		expect(new URL(page.url()).pathname).toBe(PAGE)
		await field(page).waitFor()
		await page.getByRole('link', { name: 'Settings' }).click()
		await page.locator('[data-sip=devices]').waitFor()
	})

	it('wait for their script, and try again when it cannot be had', async () => {
		const other = await test.open('')
		await field(other).waitFor()
		expect(await other.locator('script[src*="sipcall-manage"]').count()).toBe(0)
		await other.route('**/sipcall-manage.js*', (route) => route.abort())
		await other.getByRole('link', { name: 'Settings' }).click()
		await other.locator('[data-sip=manage-failed]').waitFor()
		await other.unroute('**/sipcall-manage.js*')
		await other.getByRole('button', { name: 'Try again' }).click()
		await other.locator('[data-sip=devices]').waitFor()
		await other.context().close()
	})

	it('ask for the page to be loaded again when their script is of another version', async () => {
		const other = await test.open('')
		await field(other).waitFor()
		await other.evaluate(() => {
			Object.assign((globalThis as unknown as { sipcallScripts: { main: object } }).sipcallScripts.main, { stamp: 'older' })
		})
		await other.getByRole('link', { name: 'Settings' }).click()
		await other.locator('[data-sip=manage-failed]').getByText('reload the page').waitFor()
		await other.context().close()
	})
})
