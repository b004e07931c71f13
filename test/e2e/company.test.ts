// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The company behind the trunk, as an administrator sets it up on the page.

import type { Page } from 'playwright-core'
import type { TelnyxStandIn } from '../stand-ins/telnyx/index.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { API_KEY, startTelnyx } from '../stand-ins/telnyx/index.ts'
import { startPageTest } from '../support/page-test.ts'

describe('the phone company on the page', () => {
	let telnyx: TelnyxStandIn
	let test: PageTest
	let page: Page

	beforeAll(async () => {
		telnyx = await startTelnyx()
		test = await startPageTest({ settings: { allowedCountries: ['DE', 'FR'] } })
	})

	beforeEach(async () => {
		page = await test.open('/admin/connection')
		await page.getByLabel('Company', { exact: true }).waitFor()
	})

	afterEach(() => page.context().close())

	afterAll(async () => {
		await test.stop()
		await telnyx.stop()
	})

	const config = async () => (await test.demo.get<{ provider: Record<string, unknown>, source: Record<string, string> }>('/admin/config')).body

	const saved = () => page.locator('[data-sip=saved]').getByText('Saved.', { exact: true })

	async function chooseTelnyx(key: string): Promise<void> {
		await page.getByLabel('Company', { exact: true }).selectOption('Telnyx')
		await page.getByLabel('Key', { exact: true }).fill(key)
		await page.getByLabel('Address of the interface').fill(telnyx.url)
	}

	it('asks for nothing while it is one that cannot be asked', async () => {
		expect(await page.getByLabel('Company', { exact: true }).inputValue()).toBe('generic')
		expect(await page.getByLabel('Key', { exact: true }).count()).toBe(0)
		expect(await page.getByRole('button', { name: 'Test phone company' }).count()).toBe(0)
	})

	it('is tested before it is saved, and a key that it refuses is not', async () => {
		await chooseTelnyx('KEY_of_somebody_else')
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await page.locator('[data-sip=save-refused]').waitFor()
		await page.locator('[data-sip=test-provider]').getByText('Telnyx refuses the key.').waitFor()
		expect((await config()).source.provider).toBe('default')
	})

	it('says under the fields what is wrong with them', async () => {
		await chooseTelnyx('')
		await page.getByLabel('Address of the interface').fill('http://api.telnyx.example')
		await page.getByRole('button', { name: 'Test phone company' }).click()
		await page.getByText('Begin with https://, without a user name and without a question mark.').waitFor()
		await page.getByLabel('Address of the interface').fill(telnyx.url)
		await page.getByRole('button', { name: 'Test phone company' }).click()
		await page.getByText('Give the key of this company.').waitFor()
	})

	it('takes the key, never shows it again, and goes with its removal', async () => {
		const answers: Promise<string>[] = []
		page.on('response', (response) => {
			if (response.url().includes('/proxy/sipcall/')) {
				answers.push(response.text().catch(() => ''))
			}
		})
		await chooseTelnyx(API_KEY)
		await page.getByRole('button', { name: 'Test phone company' }).click()
		await page.locator('[data-sip=test-provider]').getByText('Telnyx answers. 400.00 USD can still be spent.').waitFor()
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await saved().waitFor()
		expect(await page.getByLabel('Key', { exact: true }).inputValue()).toBe('')
		// Nobody asks about a number until that is switched on.
		await page.goto(page.url().replace('/admin/connection', '/admin/policy'))
		await page.getByLabel('Number', { exact: true }).fill('030 1234567')
		await page.getByText('Nothing is dialled.').waitFor()
		expect(await page.getByRole('button', { name: 'Ask the phone company' }).count()).toBe(0)
		await page.goto(page.url().replace('/admin/policy', '/admin/connection'))
		await page.getByLabel(/Administrators may ask it about a number/).check()
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await saved().waitFor()
		await page.goto(page.url().replace('/admin/connection', '/admin/policy'))
		await page.getByLabel('Number', { exact: true }).fill('030 1234567')
		await page.getByRole('button', { name: 'Ask the phone company' }).click()
		await page.locator('[data-sip=looked-up]').getByText('Taken along from another company').waitFor()
		expect(await page.locator('[data-sip=looked-up] p').allInnerTexts()).toEqual(['Germany', 'Landline', 'Company: A company', 'Taken along from another company'])
		await page.getByLabel('Number', { exact: true }).fill('030 12345678')
		await page.locator('[data-sip=looked-up] p').first().waitFor({ state: 'detached' })
		await page.goto(page.url().replace('/admin/policy', '/admin/connection'))
		await page.locator('[data-sip=company-key]').or(page.getByLabel('Key', { exact: true })).first().waitFor()
		await page.getByText('Saved. Leave empty to keep it.').first().waitFor()
		const shown = await page.evaluate(() => document.documentElement.outerHTML + [...document.querySelectorAll('input')].map(({ value }) => value).join(' '))
		expect((await Promise.all(answers)).join('') + shown).not.toContain(API_KEY)
		expect(await config()).toMatchObject({ provider: { kind: 'telnyx', baseUrl: telnyx.url, apiKey: { set: true } }, source: { provider: 'app' } })
		// What is kept goes to no other address.
		await page.getByLabel('Address of the interface').fill('https://other.example')
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await page.getByText('Give the key again: it is not sent to another address.').waitFor()
		await page.getByRole('button', { name: 'Discard' }).click()
		await page.getByRole('button', { name: 'Remove the saved company' }).click()
		await page.getByLabel('Key', { exact: true }).waitFor({ state: 'detached' })
		expect(await config()).toMatchObject({ provider: { kind: 'generic' }, source: { provider: 'default' } })
	})
})
