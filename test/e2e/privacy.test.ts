// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What users see of their own data, and what is left on the page when it is erased.

import type { Locator, Page } from 'playwright-core'
import type { ReceiptJson } from '../../lib/http/receipts.ts'
import type { CallJson, MeJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { atRest, field, startPageTest } from '../support/page-test.ts'

const NUMBER = '+4930123417'
const SHOWN = '+49 30 123417'
const OTHER = '+4930123421'

describe.skipIf(!browserAvailable())('one’s own data', () => {
	let test: PageTest
	beforeEach(async () => {
		test = await startPageTest()
		await test.makeCall(NUMBER, 'busy')
		await test.makeCall(OTHER, 'busy')
		await test.makeCall(NUMBER, 'answered')
	})
	afterEach(() => test?.stop())

	const row = (page: Page, at: number) => page.locator('[data-sip=row]').nth(at)
	const erasure = (page: Page) => page.locator('[data-sip=erasure]')

	async function confirmable(page: Page): Promise<Locator> {
		const word = erasure(page).getByLabel('Type DELETE to confirm')
		await word.waitFor()
		await atRest(page)
		await page.waitForFunction(() => document.activeElement?.closest('[data-sip=erasure]')?.querySelector('input') === document.activeElement)
		return word
	}

	async function downloaded(page: Page, button: string): Promise<{ name: string, text: string }> {
		const [file] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-sip=${button}]`).click()])
		return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') }
	}

	it('lose a number from every row, the details, the search and the CSV, and a receipt is offered', async () => {
		const page = await test.open()
		await row(page, 2).waitFor()
		await row(page, 0).locator('[data-row]').click()
		expect(await page.locator('script[src*="sipcall-manage"]').count()).toBe(0)
		await page.locator('[data-sip=erase-number]').click()
		await erasure(page).getByText('2 calls keep date, duration and cost, but lose the number, name and note. This cannot be undone.').waitFor()
		expect(await page.getByRole('dialog', { name: 'Erase \u2066+49 30 •••\u2069 from your calls?' }).count()).toBe(1)
		expect(test.asked('POST', '/privacy/delete')).toEqual([])
		await page.getByRole('button', { name: 'Erase number', exact: true }).click()
		const id = await page.locator('[data-sip=receipt-id]').textContent()
		const { name, text } = await downloaded(page, 'save-receipt')
		const receipt = JSON.parse(text) as ReceiptJson
		expect([name, receipt.receiptId, receipt.counts.calls]).toEqual([`sipcall-receipt-${id}.json`, id, 2])
		expect(text).not.toContain('123417')
		expect((await test.demo.get(`/privacy/receipt/${id}`)).body).toMatchObject({ receipt, valid: true })
		await page.getByRole('button', { name: 'Close', exact: true }).last().click()
		await erasure(page).waitFor({ state: 'detached' })

		await page.locator('[data-sip=details]').getByText('Number erased').first().waitFor()
		for (const gone of ['details-call', 'same-number', 'erase-number']) {
			expect(await page.locator(`[data-sip=${gone}]`).count()).toBe(0)
		}
		expect(await page.locator('[data-sip=row]').getByText('Number erased').count()).toBe(2)
		expect(await page.getByRole('button', { name: /^Call .*123421/ }).count()).toBe(1)
		expect(await page.getByRole('button', { name: /^Call Number erased/ }).count()).toBe(0)
		expect(await page.locator('body').textContent()).not.toContain('123417')
		await field(page).fill('123417')
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 0)
		await field(page).fill('')
		const csv = await test.demo.request('GET', '/call-history', undefined, { Accept: 'text/csv' })
		expect(csv.text).not.toContain('123417')
		await page.reload()
		await row(page, 2).waitFor()
		expect(await page.locator('body').textContent()).not.toContain('123417')
		await page.context().close()
	})

	it('stay as they are when somebody thinks again, and the focus comes back', async () => {
		const page = await test.open()
		await row(page, 2).waitFor()
		await row(page, 0).locator('[data-row]').click()
		await atRest(page)
		await page.locator('[data-sip=erase-number]').click()
		await erasure(page).getByText('2 calls keep').waitFor()
		await page.keyboard.press('Escape')
		await erasure(page).waitFor({ state: 'detached' })
		await page.locator('[data-sip=erase-number]').waitFor()
		await page.waitForFunction(() => document.activeElement?.closest('[data-sip=erase-number]') !== null)
		expect(test.asked('POST', '/privacy/delete')).toEqual([])
		expect(await row(page, 0).textContent()).toContain(SHOWN)
		await page.context().close()
	})

	it('offer no redial where a number is masked', async () => {
		await test.demo.request('POST', '/admin/config', { retention: { callsDays: 90, maskAfterDays: 0, auditDays: 730 } })
		await test.app.database.query('update calls set masked_at = now(), version = version + 1')
		const page = await test.open()
		await row(page, 2).waitFor()
		expect(await page.getByRole('button', { name: /^Call .*,/ }).count()).toBe(0)
		await row(page, 0).locator('[data-row]').click()
		await page.locator('[data-sip=timeline] li').first().waitFor()
		expect(await page.locator('[data-sip=details-call]').count()).toBe(0)
		expect(await page.locator('[data-sip=erase-number]').count()).toBe(0)
		await page.context().close()
	})

	it('are told of in the settings, and downloaded', async () => {
		await test.demo.request('POST', '/admin/config', { retention: { callsDays: 20, maskAfterDays: 10, auditDays: 730 } })
		const page = await test.open('/settings/privacy')
		await page.getByText('Number, note and tags of a call are kept for 10 days; then only the country’s code and the last two digits.').waitFor()
		await page.getByText('After 20 days a call is deleted.').waitFor()
		const data = await downloaded(page, 'download-data')
		expect([data.name, (JSON.parse(data.text) as { calls: CallJson[] }).calls.map(({ to }) => to)]).toEqual(['sipcall-data.json', [NUMBER, OTHER, NUMBER]])
		const list = await downloaded(page, 'download-list')
		expect([list.name, list.text.split('\r\n').length]).toEqual(['calls.csv', 5])
		await page.context().close()
	})

	it('go as a whole only after a word was typed: the calls, then everything', async () => {
		const page = await test.open('/settings/privacy')
		await page.locator('[data-sip=delete-calls]').waitFor()
		await atRest(page)
		await page.locator('[data-sip=delete-calls]').click()
		await erasure(page).getByText('This is deleted: 3 calls.').waitFor()
		const button = erasure(page).locator('[data-sip=erase]')
		expect(await button.getAttribute('aria-disabled')).toBe('true')
		const word = await confirmable(page)
		await button.click({ force: true })
		await word.fill('delete')
		await page.keyboard.press('Enter')
		expect(test.asked('POST', '/privacy/delete')).toEqual([])
		await word.fill('DELETE')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=receipt-id]').waitFor()
		await page.waitForFunction(() => document.activeElement?.closest('[data-sip=erased]') !== null)
		await erasure(page).getByRole('button', { name: 'Close', exact: true }).last().click()
		expect((await test.demo.get<{ items: CallJson[] }>('/call-history')).body.items).toEqual([])
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 0)

		await page.locator('[data-sip=delete-all]').click()
		await erasure(page).getByText('This is deleted: 0 calls, 1 phone.').waitFor()
		await (await confirmable(page)).fill('DELETE')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=receipt-id]').waitFor()
		expect((await test.demo.get<MeJson>('/me')).body.devices).toEqual([])
		await page.context().close()
	})

	it('are said to be there still when the server does not answer', async () => {
		const page = await test.open('/settings/privacy')
		await page.locator('[data-sip=delete-calls]').waitFor()
		await atRest(page)
		await page.locator('[data-sip=delete-calls]').click()
		await (await confirmable(page)).fill('DELETE')
		await page.route('**/privacy/delete', (route) => route.abort())
		await page.keyboard.press('Enter')
		await erasure(page).getByText('Nothing is known to be erased.').waitFor()
		await page.unroute('**/privacy/delete')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=receipt-id]').waitFor()
		await page.context().close()
	})
})
