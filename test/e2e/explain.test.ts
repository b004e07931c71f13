// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the page tells before a call: what a number is, what it costs, whether it may be called, and how many calls are left.

import type { Page, Route } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, startPageTest } from '../support/page-test.ts'

const RATES = [
	{ prefix: '+49', perMinute: { micros: '20000', currency: 'EUR' } },
	{ prefix: '+33', perMinute: { micros: '50000', currency: 'EUR' } },
	{ prefix: '+43', perMinute: { micros: '2500000', currency: 'EUR' } },
]
const CALLER_IDS = [{ number: '+49309876543', label: 'Office' }, { number: '+49309876544', label: 'Support' }]

describe.skipIf(!browserAvailable())('before a call', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({
			hasHarp: true,
			settings: { allowedCountries: ['DE', 'FR', 'AT'], rates: RATES, confirmAbove: { micros: '1000000', currency: 'EUR' }, callerIds: CALLER_IDS },
		})
		await test.app.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
	})
	afterAll(() => test?.stop())

	const about = (page: Page) => page.locator('[data-sip=explain]')
	const refusal = (page: Page) => page.locator('[data-sip=refusal]')
	const isInert = (page: Page) => page.locator('[data-sip=call]').getAttribute('aria-disabled')
	const posts = () => test.asked('POST', '/call').length
	const questions = () => test.asked('POST', '/numbers/explain').map(({ body }) => (JSON.parse(body) as { to: string }).to)
	const end = async (page: Page) => {
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-outcome=cancelled]').waitFor()
	}

	it('tells country, kind and rate once somebody stops typing, and asks once only', async () => {
		const page = await test.open()
		await field(page).waitFor()
		const before = questions().length
		await field(page).pressSequentially('030 123456')
		await about(page).getByText('Germany · landline · about €0.02 per minute').waitFor()
		expect(await isInert(page)).toBeNull()
		const asked = questions().length
		expect(questions().slice(before).at(-1)?.replaceAll(' ', '')).toBe('030123456')
		const text = await field(page).inputValue()
		await field(page).fill('')
		expect(await about(page).innerText()).toBe('')
		await field(page).fill(text)
		await about(page).getByText('Germany').waitFor()
		expect(questions().length).toBe(asked)
		await page.context().close()
	})

	it('in German, with the sum as people write it there', async () => {
		const page = await test.open('', { language: 'de' })
		await field(page).fill('+33 1 23 45 67 89')
		await about(page).getByText(/Frankreich · Festnetz · etwa 0,05\s€ pro Minute/).waitFor()
		await page.context().close()
	})

	it('never asks about less than three digits or an emergency number, and drops an answer to an older text', async () => {
		const page = await test.open()
		const held: Route[] = []
		await page.route('**/numbers/explain', async (route) => {
			const { to } = route.request().postDataJSON() as { to: string }
			if (to.startsWith('+33')) {
				held.push(route)
			} else {
				await route.continue()
			}
		})
		await field(page).fill('03')
		await field(page).fill('112')
		await page.locator('[data-sip=emergency]').waitFor()
		const asked = page.waitForRequest('**/numbers/explain')
		await field(page).fill('+33 1 23 45 67 89')
		await asked
		await field(page).fill('+43 1 5551234')
		await about(page).getByText('Austria').waitFor()
		await Promise.all(held.map((route) => route.continue().catch(() => {})))
		await page.evaluate(async () => {
			await fetch('/csrftoken')
		})
		expect(await about(page).innerText()).toContain('Austria')
		expect(questions().filter((to) => to === '03' || to === '112')).toEqual([])
		await page.context().close()
	})

	it('tells that a number is not complete when the field is left, not before', async () => {
		const page = await test.open()
		const answered = page.waitForResponse('**/numbers/explain')
		await field(page).fill('123456')
		await answered
		expect(await field(page).getAttribute('aria-describedby')).toBeNull()
		await page.keyboard.press('Tab')
		await page.getByText('The area code is missing').waitFor()
		expect(posts()).toBe(0)
		await page.context().close()
	})

	it('refuses a country with the rule; an administrator is led to it, “Call” does nothing', async () => {
		const page = await test.open()
		await field(page).fill('+1 202 555 0123')
		await refusal(page).getByText('Calls to United States are not allowed.').waitFor()
		expect(await refusal(page).innerText()).toContain('Rule: Allowed countries.')
		expect(await refusal(page).getByRole('link', { name: 'Open policy' }).getAttribute('href')).toMatch(/\/embedded\/sipcall\/calls\/admin\/policy#allowedCountries$/)
		expect(await isInert(page)).toBe('true')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=call]').click({ force: true })
		expect(posts()).toBe(0)
		await refusal(page).getByRole('link', { name: 'Open policy' }).click()
		await page.locator('[data-rule=allowedCountries] select:focus').waitFor()
		await page.keyboard.type('United States')
		expect(await page.locator('[data-rule=allowedCountries] select').inputValue()).toBe('US')
		await page.context().close()
	})

	it('gives everybody else a text to send, without the number', async () => {
		const page = await test.open('', { user: 'guest', permissions: ['clipboard-read', 'clipboard-write'] })
		await field(page).fill('+1 202 555 0123')
		await refusal(page).getByText('Your administrator can change it.').waitFor()
		expect(await refusal(page).getByRole('link').count()).toBe(0)
		await refusal(page).getByRole('button', { name: 'Copy request' }).click()
		await refusal(page).getByRole('button', { name: 'Copied' }).waitFor()
		const copied = await page.evaluate(() => navigator.clipboard.readText())
		expect(copied).toContain('Calls to United States are not allowed. Rule: Allowed countries.')
		expect(copied).not.toMatch(/202|555/)
		await page.context().close()
	})

	it('asks before the first call to a country, and then no more', async () => {
		const page = await test.open('', { slowClock: true })
		const before = posts()
		await field(page).fill('+33 1 23 45 67 89')
		await page.keyboard.press('Enter')
		const ask = page.locator('[data-sip=ask]')
		await ask.getByText('This is the first call to France.').waitFor()
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('ask-call')
		// The Enter that opened the question is no answer to it.
		await page.keyboard.press('Enter')
		await page.keyboard.press('Escape')
		await ask.waitFor({ state: 'detached' })
		expect(posts()).toBe(before)
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('field')
		await page.keyboard.press('Enter')
		await ask.waitFor()
		await page.evaluate(() => {
			document.documentElement.dataset.late = 'yes'
		})
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		expect(posts()).toBe(before + 1)
		await end(page)
		await field(page).fill('+33 1 23 45 67 90')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		expect(await ask.count()).toBe(0)
		await end(page)
		await page.context().close()
	})

	it('asks before an expensive call, and keeps a link’s “Call” inert until the server has answered', async () => {
		const typed = await test.open()
		await field(typed).fill('+43 1 5551234')
		await typed.keyboard.press('Enter')
		await typed.locator('[data-sip=ask]').getByText('This call is expensive: about €2.50 per minute.').waitFor()
		await typed.getByRole('button', { name: 'Cancel' }).click()
		await typed.context().close()

		const linked = await test.open('/nowhere')
		let release = () => {}
		const held = new Promise<void>((resolve) => {
			release = resolve
		})
		await linked.route('**/numbers/explain', async (route) => {
			await held
			await route.continue()
		})
		await linked.goto(linked.url().replace('/nowhere', '?number=tel%3A%2B4315551234'))
		const confirm = linked.locator('[data-sip=confirm]')
		await confirm.waitFor()
		expect(await linked.locator('[data-sip=confirm-call]').getAttribute('aria-disabled')).toBe('true')
		release()
		await confirm.getByText('This call is expensive').waitFor()
		expect(await confirm.locator('[data-sip=explain]').innerText()).toContain('Austria')
		expect(await linked.locator('[data-sip=confirm-call]').getAttribute('aria-disabled')).toBeNull()
		await linked.context().close()
	})

	it('puts the refusal in place of a link’s choices', async () => {
		const page = await test.open('?number=tel%3A%2B12025550123')
		await page.locator('[data-sip=confirm] [data-sip=refusal]').getByText('Calls to United States are not allowed.').waitFor()
		expect(await page.locator('[data-sip=confirm-call]').count()).toBe(0)
		expect(await page.locator('[data-sip=confirm] [data-sip=device]').count()).toBe(0)
		await page.waitForFunction(() => document.activeElement?.getAttribute('data-sip') === 'confirm')
		await page.context().close()
	})

	it('lets the caller ID be chosen, and remembers it by its name', async () => {
		const page = await test.open()
		const select = page.locator('[data-sip=caller-id]')
		await select.selectOption({ index: 1 })
		await page.reload()
		await select.waitFor()
		expect(await select.inputValue()).toBe('+49309876544')
		expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toMatch(/98765/)
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		expect(JSON.parse(test.asked('POST', '/call').at(-1)?.body ?? '')).toMatchObject({ callerId: '+49309876544' })
		await end(page)
		await page.context().close()
	})

	it('tells how few calls are left, and shows a limit that is reached, with its reset', async () => {
		await test.app.as('guest').call('+4930123456')
		await test.demo.request('POST', '/admin/config', { callsPerDay: 2 })
		const { body: first } = await test.app.as('guest').get<{ items: { uuid: string }[] }>('/call-history?limit=1')
		await test.app.as('guest').hangUp(first.items[0]?.uuid ?? '')
		await test.demo.request('POST', '/admin/config', { callsPerDay: 1 })
		const page = await test.open('', { user: 'guest' })
		const limit = page.locator('[data-sip=limit]')
		await limit.getByText('No calls left today').waitFor()
		expect(await limit.locator('[data-sip=limit-usage]').innerText()).toBe('1 of 1 calls used')
		expect(await limit.locator('[data-sip=limit-reset]').innerText()).toMatch(/^New calls from .* \(in 2[34] hours\)\.$/)
		expect(await isInert(page)).toBe('true')
		await test.demo.request('POST', '/admin/config', { callsPerDay: 1000 })
		const { body: me } = await test.app.as('guest').get('/me')
		await page.route('**/proxy/sipcall/me', (route) => route.fulfill({ json: { ...me, limits: [{ kind: 'callsPerDay', used: 26, max: 30 }] } }))
		await page.reload()
		await page.locator('[data-sip=left]').getByText('4 calls left today').waitFor()
		await page.context().close()
	})

	it('shows used, total and local reset time of a refused call, and sends nothing again by itself', async () => {
		// Where few servers stand: the time is told as it is where the browser is.
		const timeZone = 'Asia/Kathmandu'
		const page = await test.open('/nowhere', { timezoneId: timeZone })
		await page.clock.install()
		await page.goto(page.url().replace('/nowhere', ''))
		let sent = 0
		const resetsAt = await page.evaluate(() => new Date(Date.now() + 3 * 3_600_000).toISOString())
		await page.route('**/proxy/sipcall/call', (route) => {
			sent++
			return route.fulfill({
				status: 429,
				contentType: 'application/problem+json',
				json: { type: 'urn:x', title: 'Limit reached', status: 429, detail: 'Enough for today.', code: 'limit_reached', requestId: 'r1', retryAfterSec: 10_800, limits: [{ kind: 'callsPerDay', used: 30, max: 30, resetsAt }] },
			})
		})
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await refusal(page).getByText('No calls left today').waitFor()
		expect(await refusal(page).locator('[data-sip=limit-usage]').innerText()).toBe('30 of 30 calls used')
		expect(await refusal(page).locator('[data-sip=limit-reset]').innerText()).toMatch(new RegExp(`^New calls from (?:\\w+ \\d+, \\d+, )?${new Intl.DateTimeFormat('en', { timeStyle: 'short', timeZone }).format(new Date(resetsAt))} \\(in 3 hours\\)\\.$`))
		expect(await refusal(page).locator('progress').getAttribute('value')).toBe('100')
		await page.clock.runFor(300_000)
		expect(sent).toBe(1)
		await page.context().close()
	})

	it('leads an administrator to the rule that has just been made', async () => {
		const page = await test.open()
		await field(page).fill('030 123459')
		await page.getByText('Germany').first().waitFor()
		const { body: { allowedCountries } } = await test.demo.get<{ allowedCountries: string[] }>('/admin/config')
		await test.demo.request('POST', '/admin/config', { allowedCountries: ['FR'] })
		await page.keyboard.press('Enter')
		await refusal(page).getByText('The call was not started.').waitFor()
		expect(await refusal(page).getByRole('link', { name: 'Open policy' }).getAttribute('href')).toMatch(/\/admin\/policy#allowedCountries$/)
		expect(await refusal(page).getByRole('button', { name: 'Copy request' }).count()).toBe(0)
		await test.demo.request('POST', '/admin/config', { allowedCountries })
		await page.context().close()
	})

	it('leads an administrator who may not call to the rule, or to the users when the account is locked, and asks nobody', async () => {
		await test.demo.request('POST', '/admin/config', { allowedGroups: ['nobody-at-all'] })
		const page = await test.open()
		const note = page.locator('[data-sip=not-permitted]')
		await note.waitFor()
		expect(await note.getByRole('button', { name: 'Copy request' }).count()).toBe(0)
		expect(await note.innerText()).not.toContain('Your administrator')
		await note.getByRole('link', { name: 'Open policy' }).click()
		await page.locator('[data-rule=allowedGroups] input:focus').waitFor()
		await test.demo.request('POST', '/admin/config', { allowedGroups: null })
		await test.demo.request('PUT', '/admin/users/demo', { lock: { until: '2099-01-01T10:00:00.000Z' } })
		await page.goto(page.url().replace(/\/admin\/.*/, ''))
		await page.locator('[data-sip=locked]').getByRole('link', { name: 'Open users' }).click()
		await page.locator('tr[data-user=demo]').getByText('Locked until').waitFor()
		await test.demo.request('PUT', '/admin/users/demo', { lock: null })
		await page.context().close()
	})

	it('counts down while calling is locked, and lifts the lock by itself', async () => {
		const page = await test.open('/nowhere')
		await page.clock.install()
		let isLocked = true
		const until = await page.evaluate(() => new Date(Date.now() + 20 * 60_000).toISOString())
		const { body: me } = await test.demo.get('/me')
		await page.route('**/proxy/sipcall/me', (route) => route.fulfill({ json: { ...me, lock: isLocked ? { until } : null } }))
		await page.goto(page.url().replace('/nowhere', ''))
		const locked = page.locator('[data-sip=locked]')
		// Shortly before midnight the day stands before the time.
		await locked.getByText(/Calling is locked until /).waitFor()
		expect(await isInert(page)).toBe('true')
		await page.clock.runFor(60_000)
		await locked.getByText('in 19 minutes').waitFor()
		isLocked = false
		await page.clock.runFor(20 * 60_000)
		await locked.waitFor({ state: 'detached' })
		expect(await isInert(page)).toBeNull()
		await page.context().close()
	})
})
