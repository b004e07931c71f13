// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The encryption key on the page for privacy: changed there, followed, and what becomes of the earlier one.

import type { Page } from 'playwright-core'
import type { KeysJson } from '../../lib/http/routes/admin-keys.ts'
import type { PageTest } from '../support/page-test.ts'

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { atRest, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('the encryption key on the page', () => {
	let storage: string
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		storage = await mkdtemp(path.join(tmpdir(), 'sipcall-key-change-'))
		test = await startPageTest({ environment: { APP_PERSISTENT_STORAGE: storage, DATABASE_ENCRYPTION_KEY: '' }, overrides: { rotation: { pauseMs: 1, waitMs: 50 } } })
		await test.makeCall('+4930123417', 'busy')
		page = await test.open('/admin/privacy')
		await keys().waitFor()
	})
	afterAll(async () => {
		await test?.stop()
		await rm(storage, { recursive: true })
	})

	const keys = () => page.locator('[data-sip=keys]')
	const state = () => keys().locator('[data-sip=keys-state]')
	const stored = async () => (await test.demo.get<KeysJson>('/admin/keys')).body

	it('is changed after a question, and its rows are followed to the last one', async () => {
		const { activeKid } = await stored()
		await keys().getByText(activeKid).waitFor()
		await state().getByText('All rows are under the active key.').waitFor()
		// Somebody is at work on the call: the change cannot end yet.
		const client = new Client({ connectionString: test.app.database.url })
		await client.connect()
		await client.query('begin; select from calls for update')
		try {
			await keys().locator('[data-sip=change-key]').click()
			const dialog = page.locator('[data-sip=confirm-dialog]')
			await dialog.waitFor()
			await atRest(page)
			await dialog.getByRole('button', { name: 'Cancel' }).click()
			await dialog.waitFor({ state: 'detached' })
			expect((await stored()).activeKid).toBe(activeKid)
			await keys().locator('[data-sip=change-key]').click()
			await atRest(page)
			await dialog.locator('[data-sip=confirm-action]').click()
			await state().getByText('The other rows are being brought under it.').waitFor()
			await keys().locator('progress').waitFor()
			await keys().locator(`[data-kid="${activeKid}"]`).getByText('still needed for: 1 row').waitFor()
			expect(await keys().locator('[data-sip=change-key]').getAttribute('aria-disabled')).toBe('true')
			expect(await keys().locator('[data-sip=keys-rows]').textContent()).toMatch(/^\d+ of \d+ rows are under the active key$/)
		} finally {
			await client.query('rollback')
			await client.end()
		}
		await state().getByText('All rows are under the active key.').waitFor()
		await keys().getByText(`its file encryption-${activeKid}.key may be taken off the volume`).waitFor()
		expect(await keys().locator('progress').count()).toBe(0)
		expect((await stored()).activeKid).not.toBe(activeKid)
	})

	it('that comes from the environment is not changed there: what to do is told', async () => {
		await page.route('**/proxy/sipcall/admin/keys', async (route) => route.fulfill({ json: { ...await stored(), source: 'environment' } satisfies KeysJson }))
		await page.reload()
		await keys().getByText('add the present one to DATABASE_ENCRYPTION_KEYS_PREVIOUS and restart SIPCall').waitFor()
		await keys().getByText('no longer needed: take it out of DATABASE_ENCRYPTION_KEYS_PREVIOUS').waitFor()
		expect(await keys().locator('[data-sip=change-key]').count()).toBe(0)
	})
})
