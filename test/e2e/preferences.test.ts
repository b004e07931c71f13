// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What users choose for themselves, on the page and against the real sidecar, and the questions before a call.

import type { Page } from 'playwright-core'
import type { MeJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violations } from '../support/axe.ts'
import { browserAvailable } from '../support/browser.ts'
import { card, field, PAGE, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('a user’s own settings', () => {
	let test: PageTest
	let page: Page
	/** How far the server's clock is from the page's, in milliseconds. */
	let shift = 0
	beforeAll(async () => {
		test = await startPageTest({ hasHarp: true, overrides: { clock: { now: () => new Date(Date.now() + shift) } }, settings: { allowedCountries: ['DE', 'AT'], callerIds: [{ number: '+4930999900', label: 'Office' }, { number: '+4930999911', label: 'Sales' }] } })
		page = await test.open('/settings/caller-id')
		await page.locator('[data-sip=caller-id-settings] input').first().waitFor()
	})
	afterAll(async () => {
		await page?.context().close()
		await test?.stop()
	})

	const preferences = async () => (await test.demo.get<MeJson>('/me')).body.preferences
	const saved = (section: string) => page.locator(`[data-sip=${section}]`).getByText('Saved', { exact: true }).waitFor()
	const posted = () => test.asked('POST', '/call').length

	it('have an address each, and are without a fault for axe-core', async () => {
		for (const section of ['calls', 'notifications', 'caller-id']) {
			await page.goto(`${test.shell.url}${PAGE}/settings/${section}`)
			await page.locator(`#settings-section_${section}`).waitFor()
		}
		expect(await violations(page)).toEqual([])
	})

	it('keep the caller ID on the server, and the field begins with it', async () => {
		await page.getByLabel('Sales').check()
		await saved('caller-id-settings')
		expect(await preferences()).toMatchObject({ callerId: '+4930999911' })
		const other = await test.open()
		await other.locator('[data-sip=caller-id]').waitFor()
		expect(await other.locator('[data-sip=caller-id]').inputValue()).toBe('+4930999911')
		await other.context().close()
	})

	it('lead to another caller ID when the one that was chosen may not be shown any more', async () => {
		const other = await test.open()
		await other.locator('[data-sip=caller-id]').waitFor()
		// A rule that was made after the page had asked what may be shown.
		await other.route('**/proxy/sipcall/call', (route) => route.fulfill({
			status: 403,
			contentType: 'application/problem+json',
			body: JSON.stringify({ type: 'about:blank', title: 'x', status: 403, detail: 'x', code: 'caller_id_not_allowed', requestId: 'r' }),
		}))
		await field(other).fill('030 5550111')
		await other.keyboard.press('Enter')
		await other.locator('[data-sip=refusal]').waitFor()
		await other.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'caller-id')
		await other.context().close()
	})

	it('read numbers in the country that is chosen, and say so below the field', async () => {
		await page.getByLabel('Country of numbers without + and country code').selectOption('AT')
		await saved('call-settings')
		expect(await preferences()).toMatchObject({ country: 'AT' })
		const other = await test.open()
		await field(other).fill('01 5138200')
		await other.locator('[data-sip=explain]').getByText('Austria').waitFor()
		await other.context().close()
		await page.getByLabel('Country of numbers without + and country code').selectOption('')
		await page.getByText('As the administration says: Germany').waitFor({ state: 'attached' })
	})

	it('turn notifications off one by one', async () => {
		await page.getByLabel('Calls that failed').uncheck()
		await saved('notification-settings')
		expect(await preferences()).toMatchObject({ notifications: { missed: true, failed: false } })
	})

	it('show what the server did not take as it was, and say so', async () => {
		await page.route('**/proxy/sipcall/me', (route) => route.request().method() === 'PUT' ? route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'x', status: 503, detail: 'x', code: 'nextcloud_unavailable', requestId: 'x' }) }) : route.fallback())
		await page.getByLabel('Missed calls').click()
		await page.locator('[data-sip=notification-settings]').getByText('Nothing was saved.').waitFor()
		expect(await page.getByLabel('Missed calls').isChecked()).toBe(true)
		await page.unroute('**/proxy/sipcall/me')
	})

	it('ask before every call when that is wished, and nothing is dialled without the answer', async () => {
		await page.getByLabel('Ask before every call').check()
		await saved('call-settings')
		const other = await test.open('', { slowClock: true })
		await field(other).fill('030 123456')
		await other.keyboard.press('Enter')
		const ask = other.locator('[data-sip=ask]')
		await ask.getByText('Call this number?').waitFor()
		expect(await ask.innerText()).toContain('+49 30 123456')
		expect(await violations(other)).toEqual([])
		const before = posted()
		await ask.getByRole('button', { name: 'Cancel' }).click()
		await ask.waitFor({ state: 'detached' })
		expect(posted()).toBe(before)
		expect(await other.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('field')
		await other.keyboard.press('Enter')
		await ask.waitFor()
		// A press within half a second belongs to what was there before.
		await other.keyboard.press('Enter')
		expect(posted()).toBe(before)
		await other.evaluate(() => {
			document.documentElement.dataset.late = ''
		})
		await other.keyboard.press('Enter')
		await card(other, '[data-status=calling_user]').waitFor()
		expect(posted()).toBe(before + 1)
		await other.keyboard.press('Shift+Escape')
		await card(other, '[data-status=ended]').waitFor()
		await other.context().close()
		await page.getByLabel('Ask before every call').uncheck()
		await saved('call-settings')
	})

	it('are asked when the same number is called again within ten seconds, and not after that', async () => {
		const callAndCancel = async (to: string) => {
			await field(other).fill(to)
			await other.keyboard.press('Enter')
			await card(other, '[data-status=calling_user]').waitFor()
			await other.keyboard.press('Shift+Escape')
			await card(other, '[data-status=calling_user]').waitFor({ state: 'detached' })
		}
		const other = await test.open()
		// However long the steps take: this call has only just begun, and the other one began a minute ago.
		shift = 3_600_000
		await callAndCancel('030 123457')
		shift = -60_000
		await callAndCancel('030 123458')
		const before = posted()
		await field(other).fill('030 123457')
		await other.keyboard.press('Enter')
		await other.locator('[data-sip=ask]').getByText(/You called \S*\+49 30 123457\S* 0 seconds ago\. Call again\?/).waitFor()
		expect(posted()).toBe(before)
		await other.keyboard.press('Escape')
		await callAndCancel('030 123458')
		expect(posted()).toBe(before + 1)
		await other.context().close()
	})
})
