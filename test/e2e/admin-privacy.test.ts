// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The page for retention, erasure on behalf of others, and receipts.

import type { Page } from 'playwright-core'
import type { CallJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { startPageTest } from '../support/page-test.ts'

const NUMBER = '+4930123417'

describe.skipIf(!browserAvailable())('the page for privacy and retention', () => {
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		test = await startPageTest()
		await test.app.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Kitchen', address: '1001' }] })
		await test.makeCall(NUMBER, 'busy')
		await test.makeCall('+4930123421', 'busy')
		page = await test.open('/admin/privacy')
		await page.locator('[data-days=callsDays]').waitFor()
	})
	afterAll(() => test?.stop())

	const days = (key: string) => page.locator(`input[data-days=${key}]`)
	const retention = async () => (await test.demo.get<{ retention: object }>('/admin/config')).body.retention
	const history = async () => (await test.demo.get<{ items: CallJson[] }>('/call-history')).body.items
	const dialog = () => page.locator('[data-sip=erasure]')

	it('does not exist for a user who is no administrator, and asks for nothing of it', async () => {
		const other = await test.open('/admin/privacy', { user: 'guest' })
		await other.locator('[data-sip=unknown-path]').waitFor()
		expect(await other.locator('[data-admin]').count()).toBe(0)
		expect(test.shell.requests.filter(({ part, url, userId }) => part === 'proxy' && url.includes('/admin/') && userId === 'guest')).toEqual([])
		await other.context().close()
	})

	it('tells what the next run does, also with days that are not saved, and saves them', async () => {
		await page.getByText('The next run changes nothing. Stored now: 2 with the full number, 0 masked, 0 erased.').waitFor()
		await days('callsDays').fill('0')
		await page.getByText('If this is saved: The next run, within five minutes: 2 calls are deleted.').waitFor()
		expect(await retention()).toEqual({ callsDays: 90, maskAfterDays: 30, auditDays: 730 })
		await days('callsDays').fill('x')
		await page.getByText('A whole number from 0 to 36500.').waitFor()
		await page.keyboard.press('Enter')
		expect(test.asked('POST', '/admin/config')).toEqual([])
		await days('callsDays').fill('60')
		await days('maskAfterDays').fill('20')
		await page.getByText('The next run changes nothing.').waitFor()
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await page.locator('[data-sip=saved]').getByText('Saved.').waitFor()
		expect(await retention()).toEqual({ callsDays: 60, maskAfterDays: 20, auditDays: 730 })
	})

	it('says at once what cannot be a number, and erases nothing by it', async () => {
		await page.locator('[data-sip=erase-number-field]').fill('Erika')
		await page.getByRole('button', { name: 'Erase a number for everyone …' }).click()
		await dialog().locator('[data-sip=admin-notice]').waitFor()
		expect(await dialog().locator('[data-sip=erase]').getAttribute('aria-disabled')).toBe('true')
		await dialog().getByRole('button', { name: 'Cancel' }).click()
	})

	it('erases a number for everyone, after it has told how much, and lists the receipt', async () => {
		await page.locator('[data-sip=erase-number-field]').fill('030 123417')
		await page.keyboard.press('Enter')
		await dialog().getByText('This is concerned: 1 call.').waitFor()
		await dialog().getByLabel('Type DELETE to confirm').fill('DELETE')
		await dialog().getByRole('button', { name: 'Erase', exact: true }).click()
		const id = await page.locator('[data-sip=receipt-id]').textContent() ?? ''
		await dialog().getByRole('button', { name: 'Close', exact: true }).last().click()
		await dialog().waitFor({ state: 'detached' })
		expect((await history()).map(({ to }) => to)).toEqual(['+4930123421', ''])
		await page.locator('[data-sip=receipts] li').getByText(id).waitFor()
		expect(await page.locator('[data-sip=receipts] li').first().textContent()).toMatch(/A number.*An administrator.*1 call.*Signature is right/s)
		await page.getByText('1 with the full number, 0 masked, 1 erased.').waitFor()
	})

	it('erases a user, and shows a receipt that was altered as such', async () => {
		await page.locator('[data-sip=erase-user-field]').fill('guest')
		await page.getByRole('button', { name: 'Erase a user …' }).click()
		await dialog().getByText('This is concerned: 0 calls, 1 phone.').waitFor()
		await dialog().getByLabel('Type DELETE to confirm').fill('DELETE')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=receipt-id]').waitFor()
		await page.locator('[data-sip=receipts] li').nth(1).waitFor()
		await test.app.database.query('update erasure_receipts set deleted_at = deleted_at - interval \'1 day\' where scope = \'all\'')
		await page.reload()
		await page.locator('[data-sip=receipts] li').first().getByText('Altered, or signed with a key that is not loaded').waitFor()
	})
})
