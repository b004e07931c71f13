// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every view and dialog against WCAG 2.2 AA, as far as axe-core can see it.

import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violations } from '../support/axe.ts'
import { browserAvailable } from '../support/browser.ts'
import { card, field, PAGE, startPageTest } from '../support/page-test.ts'

const LOOKS = [
	['light, 1280 px', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }],
	['dark, 1280 px', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
	['light, 360 px', { viewport: { width: 360, height: 740 }, colorScheme: 'light' }],
	['dark, 360 px', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
] as const

describe.skipIf(!browserAvailable())('axe-core finds nothing', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({ settings: {
			workingHours: { timeZone: 'Europe/Berlin', days: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, [{ from: '00:00', to: '24:00' }]])) },
			rates: [{ prefix: '+49', perMinute: { micros: '20000', currency: 'EUR' } }],
			callerIds: [{ number: '+4930999900', label: 'Office' }],
			brake: { from: '20:00', to: '07:00', callsPerHour: 5 },
		} })
		await test.makeCall('+49305550100', 'answered')
		await test.makeCall('+4930123417', 'busy')
	})
	afterAll(() => test?.stop())

	it.each(LOOKS)('%s', async (_name, options) => {
		const faults: Record<string, string[]> = {}
		const page = await test.open('', options)
		const look = async (view: string) => {
			const found = await violations(page)
			if (found.length > 0) {
				faults[view] = found
			}
		}
		const goTo = (path: string) => page.goto(test.shell.url + PAGE + path)

		await page.locator('[data-sip=row]').nth(1).waitFor()
		await look('list')
		await field(page).fill('Beispiel')
		await page.locator('[data-sip=contacts] li').first().waitFor()
		await look('search')
		await field(page).fill('+33 1 23 45 67 89')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=refusal]').waitFor()
		await look('refusal')
		await field(page).fill('112')
		await page.locator('[data-sip=emergency]').waitFor()
		await look('emergency')
		await goTo('?number=tel%3A030%2F5550100')
		await page.locator('[data-sip=confirm][aria-busy=false]').waitFor()
		await look('confirm')
		await goTo('/missed')
		await field(page).waitFor()
		await look('missed')
		await goTo('')
		await page.locator('[data-sip=row] [data-row]').first().click()
		await page.locator('[data-sip=timeline] li').first().waitFor()
		await look('details')
		await goTo('')
		await field(page).fill('030 5550100')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		await look('calling')
		await test.pickUp(page, 'connected')
		await look('talking')
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
		await look('ended')
		await goTo('/settings/devices')
		await page.locator('[data-sip=devices] li').first().waitFor()
		await look('settings')
		await page.getByRole('button', { name: 'Add a phone' }).click()
		await look('settings, a new phone')
		await goTo('/admin/users')
		await page.locator('tr[data-user=demo]').waitFor()
		await look('users')
		await page.getByRole('button', { name: 'Change Demo user' }).click()
		await page.getByLabel('Calling is locked').check()
		await look('a user')
		await goTo('/admin/policy')
		await page.locator('[data-sip=try]').getByLabel('Number', { exact: true }).fill('+33 1 23 45 67 89')
		await page.locator('[data-verdict=refused]').waitFor()
		await page.locator('input[data-count=callsPerDay]').fill('x')
		await page.getByRole('button', { name: 'Remove Germany (DE)' }).click()
		await page.locator('[data-change=allowedCountries]').waitFor()
		await look('policy')
		await goTo('/admin/connection')
		await page.getByLabel('Port', { exact: true }).fill('x')
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await page.locator('[data-sip=admin-notice]').waitFor()
		await look('connection')
		await goTo('/nowhere')
		await page.locator('[data-sip=unknown-path]').waitFor()
		await look('unknown path')
		expect(faults).toEqual({})
		await page.context().close()
	})

	it.each(LOOKS)('with the doctor and in tests of a connection: %s', async (_name, options) => {
		const page = await test.open('/admin/connection', options)
		await page.getByRole('button', { name: 'Test trunk' }).click()
		await page.locator('[data-sip=test-trunk] [data-finding]').first().waitFor()
		await page.getByLabel('Password', { exact: true }).fill('x')
		await page.getByRole('button', { name: 'Save', exact: true }).click()
		await page.locator('[data-sip=save-refused]').waitFor()
		expect(await violations(page)).toEqual([])
		await page.goto(`${test.shell.url}${PAGE}/admin/doctor`)
		await page.locator('[data-finding=carrier]').waitFor()
		await page.getByRole('button', { name: 'Call me now' }).click()
		await page.locator('[data-step=ringing]').waitFor()
		expect(await violations(page)).toEqual([])
		for (const { uuid } of test.app.freeSwitch.channels()) {
			test.app.freeSwitch.hangUp(uuid)
		}
		await page.locator('[data-step=ended]').waitFor()
		await page.context().close()
	})

	it('on the first visit, and where calling is not permitted', async () => {
		const first = await test.open('', { user: 'guest' })
		await first.locator('[data-sip=first-device]').waitFor()
		expect(await violations(first)).toEqual([])
		await first.context().close()
		await test.demo.request('PUT', '/admin/users/guest', { permission: false })
		const refused = await test.open('', { user: 'guest' })
		await refused.locator('[data-sip=not-permitted]').waitFor()
		expect(await violations(refused)).toEqual([])
		await refused.context().close()
	})

	it('unless there is something: a button without a name, in the content and in a dialog', async () => {
		const page = await test.open('/settings/devices')
		await page.locator('[data-sip=devices] li').first().waitFor()
		await page.evaluate(() => {
			document.querySelector('#app-content-vue')?.append(document.createElement('button'))
			document.querySelector('[role=dialog] ul')?.before(document.createElement('button'))
		})
		expect((await violations(page)).filter((fault) => fault.startsWith('button-name'))).toHaveLength(2)
		await page.context().close()
	})
})
