// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The journeys of users and administrators without a mouse: what has the focus can be seen, and stays where it was put.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { atRest, card, field, startPageTest } from '../support/page-test.ts'
import { tab } from '../support/visible-focus.ts'

const MOST_TABS = 60

/** Goes on by Tab until something has the focus that fits; on the way nothing is passed whose focus cannot be seen. */
async function tabTo(page: Page, selector: string): Promise<void> {
	for (let step = 0; step < MOST_TABS; step++) {
		expect(await tab(page)).toBeUndefined()
		if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector)) {
			return
		}
	}
	throw new Error(`Tab never comes to ${selector}`)
}

const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('data-sip') ?? document.activeElement?.tagName)

describe.skipIf(!browserAvailable())('without a mouse', () => {
	let test: PageTest
	let host: string
	let port: number
	beforeAll(async () => {
		test = await startPageTest({ hasHarp: true, settings: { allowedCountries: ['DE'], deviceVerification: { phone: 'code', sip: 'none' } } })
		;({ host, port } = test.app.freeSwitch)
	})
	afterAll(() => test?.stop())

	it('a new user names a phone, verifies it and calls', async () => {
		const page = await test.open('', { user: 'guest' })
		await page.locator('[data-sip=first-device]').waitFor()
		await tabTo(page, '[data-sip=first-device] input')
		await page.keyboard.type('0171 1234567')
		await tabTo(page, '[data-sip=first-device] [type=submit]')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=call-with-code]').waitFor()
		await tabTo(page, '[data-sip=call-with-code]')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=code]').waitFor()
		const { freeSwitch } = test.app
		await freeSwitch.until(() => freeSwitch.channels().length > 0)
		freeSwitch.answer(freeSwitch.channels()[0]?.uuid ?? '')
		await freeSwitch.until(() => freeSwitch.heard.length > 0)
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'code')
		await page.keyboard.type(freeSwitch.heard[0]?.texts[0] ?? '')
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'field')
		await page.keyboard.type('030 123456')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.context().close()
	})

	it('a phone link is called, and no status of the call takes the focus from where it is', async () => {
		const page = await test.open('?number=tel%3A030%2F123456')
		await page.locator('[data-sip=confirm][aria-busy=false]').waitFor()
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'confirm-call')
		// It is deaf at first, however often somebody presses.
		while (await card(page).count() === 0) {
			await page.keyboard.press('Enter')
		}
		await card(page, '[data-status=calling_user]').waitFor()
		expect(test.asked('POST', '/call').filter(({ userId }) => userId === 'demo')).toHaveLength(1)
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'headline')
		await test.pickUp(page, 'connected')
		expect(await focused(page)).toBe('headline')
		await tabTo(page, '[data-sip=hold]')
		test.app.freeSwitch.hangUp(test.leg('b'))
		await card(page, '[data-outcome=completed]').waitFor()
		// The button is gone with the call; the focus is on the card that it stood on.
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'headline')
		await page.context().close()
	})

	it('a contact is called by name, and a call of the list again', async () => {
		const page = await test.open()
		await page.locator('[data-sip=row]').first().waitFor()
		await page.keyboard.press('?')
		await page.locator('[data-sip=settings]').getByText('Show this list').waitFor()
		await atRest(page)
		await page.keyboard.press('Escape')
		await page.locator('[data-sip=settings]').waitFor({ state: 'detached' })
		await page.keyboard.press('/')
		expect(await focused(page)).toBe('field')
		await page.keyboard.type('Bei')
		await page.locator('[data-sip=contacts] li').first().waitFor()
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('Enter')
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'call')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-outcome=cancelled]').waitFor()
		await field(page).fill('')
		await tabTo(page, '[data-sip=row] button[aria-label^="Call "]')
		await page.keyboard.press('Enter')
		// The same number was called a moment ago: that is asked about, and the answer is deaf at first.
		await page.locator('[data-sip=ask]').waitFor()
		while (await card(page, '[data-status=calling_user]').count() === 0) {
			await page.keyboard.press('Enter')
		}
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
		await page.context().close()
	})

	it('an administrator connects the switch, allows calling and makes a test call, in at most twelve presses of a button', async () => {
		const { app } = test
		// As on the first day: nobody may call anywhere, and no switch is known.
		await test.demo.request('POST', '/admin/config', { homeCountry: null, allowedCountries: null, allowedGroups: [], freeswitch: { host: '127.0.0.1', port: 1, password: 'none' } })
		await app.database.query('delete from calls')
		await app.database.query('delete from call_sums')
		const page = await test.open('/admin/overview')
		let presses = 0
		const press = async (selector: string) => {
			await tabTo(page, selector)
			await page.keyboard.press('Enter')
			presses++
		}
		const type = async (selector: string, text: string) => {
			await tabTo(page, selector)
			await page.keyboard.press('Control+A')
			await page.keyboard.type(text)
		}
		const backToOverview = () => press('[data-admin=overview] a')
		const step = (id: string) => page.locator(`[data-sip=set-up] [data-step=${id}]`)

		await step('switch').and(page.locator('[data-done=false]')).waitFor()
		// Nobody can call yet, and no home country is chosen.
		await step('rules').locator('[data-sample=foreign][data-allowed=false]').getByText('Rule: Who may call').waitFor()
		await press('[data-step=switch] a')
		await page.locator('[data-sip=admin-connection] form').waitFor()
		await type('[data-sip=switch-host] input, input[data-sip=switch-host]', host)
		await type('[data-sip=switch-port] input, input[data-sip=switch-port]', String(port))
		await type('[data-sip=switch-password] input, input[data-sip=switch-password]', test.app.freeSwitch.password)
		await press('[data-sip=admin-connection] form [type=submit]')
		await page.locator('[data-sip=saved]').getByText('Saved.').waitFor()
		// The sidecar connects by itself.
		await test.demo.untilCalling('ok')
		await backToOverview()
		await step('switch').and(page.locator('[data-done=true]')).waitFor()

		await press('[data-step=rules] a')
		await page.locator('[data-sip=admin-policy] form').waitFor()
		await tabTo(page, '[data-setting=allowedGroups] input')
		await page.keyboard.type('admin')
		await page.keyboard.press('Enter')
		presses++
		await tabTo(page, '[data-setting=homeCountry] select')
		await page.keyboard.type('Germany')
		await press('[data-sip=changes] button')
		await page.getByText('The policy is saved.').waitFor()
		await backToOverview()
		await step('rules').and(page.locator('[data-done=true]')).waitFor()
		await step('rules').locator('[data-sample=mobile]').waitFor()
		expect(await step('rules').locator('[data-sample]').evaluateAll((rows) => rows.map((row) => [(row as HTMLElement).dataset.sample, (row as HTMLElement).dataset.allowed]))).toEqual([['mobile', 'true'], ['foreign', 'false'], ['premium', 'false']])

		await press('[data-step=test] a')
		await page.locator('[data-sip=test-call] button').waitFor()
		await press('[data-sip=test-call] button')
		await app.freeSwitch.until(() => app.freeSwitch.channels().length > 0)
		app.freeSwitch.answer(app.freeSwitch.channels()[0]?.uuid ?? '')
		await page.locator('[data-step=answered]').waitFor()
		app.freeSwitch.hangUp(app.freeSwitch.channels()[0]?.uuid ?? '')
		await page.locator('[data-step=ended]').waitFor()
		await backToOverview()
		await page.locator('[data-sip=tiles]').waitFor()
		expect(await page.locator('[data-sip=set-up]').count()).toBe(0)
		expect(presses).toBeLessThanOrEqual(12)
		await page.context().close()
	})
})
