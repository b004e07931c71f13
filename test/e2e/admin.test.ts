// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The pages of the administration, against the real sidecar.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALL_RULES } from '../../lib/policy/rules.ts'
import { browserAvailable } from '../support/browser.ts'
import { startPageTest } from '../support/page-test.ts'

interface Config { homeCountry: string | null, allowedCountries: string[], callsPerDay: number, gateways: string[], freeswitch: { host: string, port: number, user: string | null, password: { set: boolean } }, oauth: { clientId: string } | null, source: Record<string, string> }

describe.skipIf(!browserAvailable())('the administration', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({ settings: { allowedCountries: ['DE', 'FR'] } })
		await test.app.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Kitchen', address: '1001' }] })
	})
	afterAll(() => test?.stop())

	const config = async () => (await test.demo.get<Config>('/admin/config')).body
	const adminRequests = () => test.shell.requests.filter(({ part, url }) => part === 'proxy' && url.includes('/admin/'))
	const pick = async (page: Page, label: string, value: string) => page.getByLabel(label, { exact: true }).selectOption(value)

	it('does not exist for a user who is no administrator, and asks for nothing of it', async () => {
		const before = adminRequests().length
		for (const path of ['overview', 'users', 'policy', 'connection', 'audit', 'doctor']) {
			const page = await test.open(`/admin/${path}`, { user: 'guest' })
			await page.locator('[data-sip=unknown-path]').waitFor()
			expect(await page.locator('[data-admin]').count()).toBe(0)
			expect(await page.locator('script[src*="sipcall-manage"], script[src*="sipcall-charts"]').count()).toBe(0)
			await page.context().close()
		}
		expect(adminRequests().slice(before).filter(({ userId }) => userId === 'guest')).toEqual([])
	})

	it('is reached from the navigation, and the entry of the page is marked', async () => {
		const page = await test.open()
		await page.getByRole('link', { name: 'Policy' }).click()
		await page.getByRole('heading', { name: 'Policy' }).waitFor()
		expect(await page.locator('[data-admin=policy] [aria-current=page]').count()).toBe(1)
		expect(await page.locator('[data-admin=users] [aria-current=page]').count()).toBe(0)
		await page.goBack()
		await page.locator('[data-sip=field]').waitFor()
		await page.context().close()
	})

	describe('users', () => {
		let page: Page
		beforeAll(async () => {
			page = await test.open('/admin/users')
			await page.locator('[data-user=guest]').waitFor()
		})
		afterAll(() => page?.context().close())

		const row = () => page.locator('[data-user=guest]')
		const guest = async () => (await test.demo.get<{ items: Record<string, unknown>[] }>('/admin/users?search=guest')).body.items[0]
		const save = async () => {
			await page.getByRole('button', { name: 'Save', exact: true }).click()
			await page.locator('[data-sip=user-dialog]').waitFor({ state: 'detached' })
		}

		it('are found by a part of their name', async () => {
			await page.getByLabel('Search users').fill('gue')
			await page.locator('tr[data-user=demo]').waitFor({ state: 'detached' })
			await page.getByLabel('Search users').fill('nobody')
			await page.getByText('No user matches “nobody”.').waitFor()
			await page.getByLabel('Search users').fill('')
			await row().waitFor()
		})

		it('are forbidden and allowed, and the focus comes back to the row', async () => {
			await page.getByRole('button', { name: 'Change Guest' }).click()
			await pick(page, 'May call', 'no')
			await save()
			await row().getByText('Forbidden for this user').waitFor()
			expect(await guest()).toMatchObject({ permission: false, mayCall: false })
			await page.waitForFunction(() => document.activeElement?.closest('[data-user=guest]') !== null && document.activeElement?.tagName === 'BUTTON')
			await page.keyboard.press('Enter')
			await pick(page, 'May call', 'groups')
			await save()
			expect(await guest()).toMatchObject({ permission: null, mayCall: true })
		})

		it('are locked until a time to come, and unlocked', async () => {
			await page.getByRole('button', { name: 'Change Guest' }).click()
			await page.getByLabel('Calling is locked').check()
			await page.getByLabel('Locked until').fill('2020-01-01T10:00')
			await page.getByRole('button', { name: 'Save', exact: true }).click()
			await page.getByText('Give a time to come.').waitFor()
			await page.getByLabel('Locked until').fill('2099-01-01T10:00')
			await page.getByLabel('Reason').fill('Lost phone')
			await save()
			await row().getByText(/Locked until .*2099/).waitFor()
			await row().getByText('Lost phone').waitFor()
			expect(await guest()).toMatchObject({ lock: { by: 'admin', reason: 'Lost phone' }, mayCall: false })
			await page.getByRole('button', { name: 'Change Guest' }).click()
			await page.getByLabel('Calling is locked').uncheck()
			await save()
			await row().getByText('Active').waitFor()
			expect(await guest()).toMatchObject({ lock: null })
		})

		it('get limits of their own, and what is no number is said under its field', async () => {
			await page.getByRole('button', { name: 'Change Guest' }).click()
			await page.getByLabel('Calls per day', { exact: true }).fill('lots')
			await page.getByRole('button', { name: 'Save', exact: true }).click()
			await page.getByText('A whole number from 1 to 1000000.').waitFor()
			await page.getByLabel('Calls per day', { exact: true }).fill('7')
			await save()
			expect(await guest()).toMatchObject({ limits: { callsPerDay: 7 } })
			await row().getByRole('cell', { name: '0 of 7' }).waitFor()
		})

		it('are sorted by a heading, up and down, which tells so', async () => {
			const heading = page.getByRole('columnheader', { name: 'Name' })
			const names = () => page.locator('tr[data-user]').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.user))
			await heading.getByRole('button').click()
			expect([await heading.getAttribute('aria-sort'), await names()]).toEqual(['ascending', ['demo', 'guest']])
			await heading.getByRole('button').click()
			expect([await heading.getAttribute('aria-sort'), await names()]).toEqual(['descending', ['guest', 'demo']])
		})

		it('are forbidden and allowed several at once, one after another, and the result is told', async () => {
			await page.getByLabel('Select Demo user').check()
			await page.getByLabel('Select Guest').check()
			await page.getByRole('button', { name: 'Forbid calling' }).click()
			await page.locator('[data-sip=bulk-result]').getByText('2 users are forbidden to call.').waitFor()
			await row().getByText('Forbidden for this user').waitFor()
			expect(await guest()).toMatchObject({ permission: false })
			// Who was changed is no longer selected.
			expect(await page.getByRole('button', { name: 'Allow calling' }).count()).toBe(0)
			await page.getByLabel('Select Demo user').check()
			await page.getByLabel('Select Guest').check()
			await page.getByRole('button', { name: 'Allow calling' }).click()
			await page.locator('[data-sip=bulk-result]').getByText('2 users are allowed to call.').waitFor()
			expect(await guest()).toMatchObject({ permission: true })
		})

		it('have their phones verified by an administrator', async () => {
			await test.demo.request('POST', '/admin/config', { deviceVerification: { phone: 'code', sip: 'admin' } })
			await page.reload()
			await row().getByText('1, 1 not verified').waitFor()
			await page.getByRole('button', { name: 'Change Guest' }).click()
			await page.getByLabel('Kitchen is verified').check()
			await save()
			expect(await guest()).toMatchObject({ devices: [{ label: 'Kitchen', verified: true }] })
			await test.demo.request('POST', '/admin/config', { deviceVerification: { phone: 'code', sip: 'none' } })
		})
	})

	it('tries a number on the policy that is not saved, while the saved one still allows it', async () => {
		const page = await test.open('/admin/policy')
		await page.locator('[data-sip=try]').getByLabel('Number', { exact: true }).fill('+33 1 23 45 67 89')
		await page.locator('[data-verdict=allowed]').waitFor()
		await page.getByRole('button', { name: 'Remove France (FR)' }).click()
		await page.locator('[data-verdict=refused]').waitFor()
		await page.locator('[data-sip=try]').getByText('Rule: Allowed countries').waitFor()
		expect((await test.demo.request<{ allowed: boolean }>('POST', '/numbers/explain', { to: '+33 1 23 45 67 89' })).body.allowed).toBe(true)
		expect(await page.locator('[data-change=allowedCountries] del').innerText()).toContain('France (FR)')
		// Nothing is saved until it is asked for, and then only what has changed.
		expect((await config()).allowedCountries).toEqual(['DE', 'FR'])
		await pick(page, 'Country', 'AT')
		await page.getByRole('button', { name: 'Add: Country' }).click()
		await page.locator('[data-count=callsPerDay] input, input[data-count=callsPerDay]').fill('x')
		await page.getByText('A whole number from 1 to 1000000.').waitFor()
		await page.locator('[data-count=callsPerDay] input, input[data-count=callsPerDay]').fill('50')
		await page.getByRole('button', { name: 'Save policy' }).click()
		await page.getByText('The policy is saved.').waitFor()
		expect(await config()).toMatchObject({ allowedCountries: ['DE', 'AT'], callsPerDay: 50 })
		await page.context().close()
	})

	it('leads to every rule of the policy that a refusal can name, and keeps the focus there', async () => {
		await test.demo.request('POST', '/admin/config', { allowedGroups: ['admin'] })
		const page = await test.open('/admin/policy#workingHours')
		await page.locator('[data-rule=workingHours] input:focus').waitFor()
		// Not settings of the policy: one stands for several rules, the others are changed elsewhere.
		const rules = CALL_RULES.map(({ id }) => id).filter((id) => !['destination', 'carrier', 'callerIds'].includes(id))
		for (const rule of [...rules, 'allowedGroups', 'deniedPrefixes', 'allowedCountries', 'allowedTypes', 'callsPerMinute', 'callsPerHour', 'callsPerDay']) {
			await page.goto(page.url().replace(/#.*/, `#${rule}`))
			await page.reload()
			await page.locator(`[data-rule=${rule}]:focus, [data-rule=${rule}] :focus`).waitFor()
		}
		await page.goto(page.url().replace(/#.*/, '#nothing'))
		await page.reload()
		await page.locator('[data-rule]').first().waitFor()
		expect(await page.evaluate(() => document.activeElement?.closest('[data-rule]'))).toBeNull()
		await test.demo.request('POST', '/admin/config', { allowedGroups: null })
		await page.context().close()
	})

	it('tries three numbers on the policy that is not saved, and dials none', async () => {
		await test.demo.request('POST', '/admin/config', { homeCountry: 'DE', allowedCountries: ['DE'] })
		const page = await test.open('/admin/policy')
		const sample = (kind: string, isAllowed: boolean) => page.locator(`[data-sample=${kind}][data-allowed=${isAllowed}]`)
		await sample('mobile', true).getByText('+49 1').waitFor()
		await sample('foreign', false).getByText('Rule: Allowed countries').waitFor()
		await sample('premium', false).getByText('Rule: Kinds of numbers').waitFor()
		await page.getByLabel('Mobile numbers', { exact: true }).uncheck()
		await sample('mobile', false).getByText('Rule: Kinds of numbers').waitFor()
		await pick(page, 'Home country', 'AT')
		// The list of countries was that of the home country, and follows it.
		await sample('mobile', false).getByText('+43 6').waitFor()
		await page.getByLabel('Mobile numbers', { exact: true }).check()
		await sample('mobile', true).getByText('+43 6').waitFor()
		await pick(page, 'Home country', '')
		await page.getByText('Without a home country no number of it can be tried.').waitFor()
		expect(await page.locator('[data-sample]').count()).toBe(1)
		expect(await config()).toMatchObject({ homeCountry: 'DE', allowedCountries: ['DE'] })
		expect(test.asked('POST', '/call')).toEqual([])
		expect(test.app.freeSwitch.originates).toEqual([])
		await test.demo.request('POST', '/admin/config', { allowedCountries: ['DE', 'AT'] })
		await page.context().close()
	})

	it('says under its field what the server has against a rule', async () => {
		const page = await test.open('/admin/policy')
		await page.getByLabel('Forbid a beginning, as in +49137', { exact: true }).fill('0137')
		await page.keyboard.press('Enter')
		await page.getByRole('button', { name: 'Save policy' }).click()
		await page.getByText('Begin with + and the country code, as in +4930.').waitFor()
		await page.getByRole('button', { name: 'Discard' }).click()
		await page.getByText('Nothing is changed.').waitFor()
		await page.context().close()
	})

	it('says above the form what the server has against a setting that no field is for', async () => {
		const page = await test.open('/admin/policy')
		await page.getByLabel('Forbid a beginning, as in +49137', { exact: true }).fill('0137')
		await page.keyboard.press('Enter')
		// As a page that is newer than the server would send it.
		await page.route('**/proxy/sipcall/admin/config', (route) => route.continue(route.request().method() === 'POST' ? { postData: JSON.stringify({ ...route.request().postDataJSON() as object, holidays: [] }) } : {}))
		await page.getByRole('button', { name: 'Save policy' }).click()
		const notice = page.locator('[data-sip=admin-notice]')
		await notice.getByText('Nothing was saved.').waitFor()
		expect(await notice.innerText()).toMatch(/"holidays".* See the messages under the fields\./)
		await page.getByText('Begin with + and the country code, as in +4930.').waitFor()
		await page.getByRole('button', { name: 'Discard' }).click()
		await page.locator('[data-count=callsPerDay] input, input[data-count=callsPerDay]').fill('51')
		await page.getByRole('button', { name: 'Save policy' }).click()
		await notice.getByText(/^[^.]*"holidays"[^.]*$/).waitFor()
		expect(await page.locator('[data-sip=admin-policy] [aria-invalid=true]').count()).toBe(0)
		await page.context().close()
	})

	it('takes a password and never shows it again', async () => {
		const page = await test.open('/admin/connection')
		await page.getByText('Set by the environment.').first().waitFor()
		const answers: Promise<string>[] = []
		page.on('response', (response) => {
			if (response.url().includes('/proxy/sipcall/')) {
				answers.push(response.text().catch(() => ''))
			}
		})
		const secret = 'correct-horse-battery'
		await page.getByLabel('Password', { exact: true }).fill(secret)
		await page.getByLabel('Client identifier').fill('client-of-sipcall')
		await page.getByLabel('Client secret', { exact: true }).fill(`${secret}-2`)
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		// FreeSWITCH knows another one.
		await page.getByRole('button', { name: 'Save anyway' }).click()
		await page.locator('[data-sip=saved]').getByText('Saved.').waitFor()
		expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe('')
		expect(await page.getByText('Saved. Leave empty to keep it.').count()).toBe(2)
		await page.reload()
		await page.getByText('Saved. Leave empty to keep it.').first().waitFor()
		const shown = await page.evaluate(() => document.documentElement.outerHTML + [...document.querySelectorAll('input')].map(({ value }) => value).join(' '))
		expect((await Promise.all(answers)).join('') + shown).not.toContain(secret)
		expect(await config()).toMatchObject({ oauth: { clientId: 'client-of-sipcall' }, source: { freeswitch: 'app' } })
		// Taking the saved one away brings the environment's back.
		await page.getByRole('button', { name: 'Remove the saved connection' }).click()
		await page.getByText('Set by the environment.').first().waitFor()
		expect(await config()).toMatchObject({ source: { freeswitch: 'environment' } })
		await page.context().close()
	})

	it('asks for the password again before it goes to another machine, and says what is no gateway', async () => {
		const page = await test.open('/admin/connection')
		await page.getByLabel('Host', { exact: true }).fill('other.example')
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await page.getByText('Give the password again').waitFor()
		await page.getByRole('button', { name: 'Discard' }).click()
		expect(await page.getByLabel('Host', { exact: true }).inputValue()).toBe(test.app.freeSwitch.host)
		await page.getByLabel('Gateway', { exact: true }).fill('not a gateway')
		await page.keyboard.press('Enter')
		await page.getByText('Save', { exact: true }).click()
		await page.getByText('A gateway’s name has letters').waitFor()
		expect((await config()).gateways).toEqual(['trunk'])
		await page.context().close()
	})
})
