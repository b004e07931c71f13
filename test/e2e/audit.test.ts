// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The audit log as administrators read and check it, against the real sidecar.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('the audit log’s page', () => {
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		test = await startPageTest()
		await test.demo.request('PUT', '/admin/users/guest', { permission: false })
		// More than a page of them.
		for (let maxCallSec = 100; maxCallSec < 152; maxCallSec++) {
			await test.demo.request('POST', '/admin/config', { maxCallSec })
		}
		page = await test.open('/admin/audit')
		await page.locator('[data-entry]').first().waitFor()
	})
	afterAll(async () => {
		await page?.context().close()
		await test?.stop()
	})

	const entries = () => page.locator('[data-entry]')
	const choose = (action: string) => page.getByLabel('What was done', { exact: true }).selectOption(action)

	it('tells who did what, newest first, and loads more when asked', async () => {
		await page.locator('[data-entry]:first-of-type').getByText('Longest call, in seconds: 150 → 151').waitFor()
		expect(await entries().first().innerText()).toMatch(/demo\s+Settings changed/)
		expect(await entries().count()).toBe(50)
		await page.getByRole('button', { name: 'Load more' }).click()
		await page.locator('[data-entry="1"]').waitFor()
		const seqs = await entries().evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.entry)))
		expect(seqs).toEqual(seqs.map((_, index) => seqs.length - index))
		expect(await page.getByRole('button', { name: 'Load more' }).count()).toBe(0)
	})

	it('is narrowed by what was done and by days', async () => {
		await choose('user.changed')
		await page.locator('[data-action="settings.changed"]').first().waitFor({ state: 'detached' })
		expect(await entries().count()).toBe(1)
		expect(await entries().first().innerText()).toMatch(/demo\s+User changed\s+guest\s+Forbidden for this user/)
		await page.locator('[data-sip=audit-to]').fill('2020-01-01')
		await page.locator('[data-sip=audit-to]').blur()
		await page.getByText('No entry matches.').waitFor()
		await page.locator('[data-sip=audit-to]').fill('')
		await page.locator('[data-sip=audit-to]').blur()
		await entries().first().waitFor()
	})

	it('is narrowed by who did it and to whom, by the id or as the table shows it', async () => {
		await choose('')
		const who = page.getByLabel('By whom', { exact: true })
		const whom = page.getByLabel('To whom', { exact: true })
		await whom.fill('guest')
		await whom.press('Enter')
		await page.locator('[data-action="settings.changed"]').first().waitFor({ state: 'detached' })
		expect(await entries().count()).toBe(1)
		await who.fill('guest')
		await who.blur()
		await page.getByText('No entry matches.').waitFor()
		const { items: [entry] } = (await test.demo.get<{ items: { actor: { ref: string } }[] }>('/admin/audit-log?target=guest')).body
		await who.fill(`user ${entry?.actor.ref.slice(0, 4)}`)
		await who.blur()
		await entries().first().waitFor()
		expect(await entries().first().innerText()).toMatch(/demo\s+User changed\s+guest/)
		await who.fill('')
		await whom.fill('')
		await whom.blur()
		await page.locator('[data-action="settings.changed"]').first().waitFor()
		await choose('user.changed')
		await page.locator('[data-action="settings.changed"]').first().waitFor({ state: 'detached' })
	})

	it('is downloaded as it is narrowed, and that is an entry', async () => {
		const downloading = page.waitForEvent('download')
		await page.getByRole('button', { name: 'Download CSV' }).click()
		const download = await downloading
		expect(download.suggestedFilename()).toBe('audit-log.csv')
		const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n')
		expect(lines).toHaveLength(2)
		expect(lines[1]).toContain(',user.changed,')
		await choose('audit.exported')
		await page.locator('[data-action="audit.exported"]').waitFor()
		expect(await entries().first().innerText()).toContain('User changed')
		await choose('')
	})

	it('is verified when asked, not before, and tells the first entry that is not in order', async () => {
		const asked = () => test.asked('POST', '/admin/audit-log/verify').length
		expect(asked()).toBe(0)
		await page.locator('[data-sip=chain] [data-state=none]').getByText('Not checked since SIPCall was started').waitFor()
		await page.getByRole('button', { name: 'Verify now' }).click()
		const state = page.locator('[data-sip=chain] [data-state=done]')
		await state.getByText(/Verified up to entry 5\d/).waitFor()
		expect(await state.innerText()).toMatch(/Seal: [0-9a-f]{16}\./)
		await page.reload()
		await state.getByText(/Verified up to entry 5\d/).waitFor()
		expect(asked()).toBe(1)
		await test.app.database.query('alter table audit_log disable trigger user; delete from audit_log where seq = 5')
		await page.getByRole('button', { name: 'Verify now' }).click()
		await page.locator('[data-sip=chain] [data-state=broken]').getByText('Broken at entry 5').waitFor()
		await page.getByText('It is missing.').waitFor()
	})

	it('names nobody whose data were purged, but tells one from another', async () => {
		await test.app.nextcloud.disable()
		await test.app.nextcloud.enable()
		await test.app.nextcloud.occ('sipcall:user:purge', ['guest'], { yes: true })
		await page.reload()
		await choose('user.purged')
		await page.locator('[data-action="user.purged"]').waitFor()
		expect(await entries().first().innerText()).toMatch(/Console \(occ\)\s+All data of a user deleted\s+user [0-9a-f]{4}\s/)
	})

	it('begins no second check while one runs, and shows how far that one is', async () => {
		let answers = 0
		await page.route('**/proxy/sipcall/admin/audit-log/verify', async (route) => {
			// A log so long that the answer to the first question is not the last one.
			const state = answers++ < 2 ? { state: 'running', startedAt: '2026-11-22T09:30:00.000Z', entries: 1000 * answers } : { state: 'done', startedAt: '2026-11-22T09:30:00.000Z', checkedAt: '2026-11-22T09:31:00.000Z', entries: 5000, seal: '0123456789abcdef' }
			await route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify(state) })
		})
		await page.reload()
		await page.getByText('Entries in order so far: 1,000').waitFor()
		await page.getByRole('button', { name: 'Verify now' }).click({ force: true })
		await page.getByText('Verified up to entry 5,000').waitFor()
		expect(answers).toBe(3)
		await page.unroute('**/proxy/sipcall/admin/audit-log/verify')
	})
})
