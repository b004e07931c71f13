// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The page when something is not as it should be.

import type { Page, Route } from 'playwright-core'
import type { CallJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'
import type { Sidecar } from '../support/sidecar.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { findFreePort } from '../support/free-port.ts'
import { card, field, startPageTest } from '../support/page-test.ts'
import { spawnSidecar, untilUp } from '../support/sidecar.ts'

describe.skipIf(!browserAvailable())('the page', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest()
		await test.makeCall('+4930123417', 'busy')
	})
	afterAll(() => test?.stop())

	const proxied = () => test.shell.requests.filter(({ part }) => part === 'proxy')
	const banner = (page: Page, kind: string) => page.locator(`[data-banner=${kind}]`)
	/** What the page has sent has reached Nextcloud when the answer to this is back. */
	const settle = (page: Page) => page.evaluate(async () => {
		await fetch('/csrftoken')
	})
	/** A page whose time the test moves. */
	async function openOnFakeTime(path = ''): Promise<Page> {
		const page = await test.open('/nowhere')
		await page.clock.install()
		await page.goto(page.url().replace('/nowhere', path))
		await page.locator('[data-sip=row]').first().waitFor()
		return page
	}

	async function endCall(page: Page): Promise<void> {
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
	}

	it.each<[string, { status: number, contentType: string, body: string }, string, string]>([
		['HTML 404', { status: 404, contentType: 'text/html; charset=UTF-8', body: '<h2>Page not found</h2>' }, 'unavailable', 'SIPCall is not available.'],
		['401', { status: 401, contentType: 'application/json', body: '{"message":"Current user is not logged in"}' }, 'logged-out', 'You were logged out.'],
		['HTML 200', { status: 200, contentType: 'text/html; charset=UTF-8', body: '<form>Log in</form>' }, 'unavailable', 'SIPCall is not available.'],
	])('stops for good when the proxy answers %s', async (_name, answer, kind, words) => {
		const page = await openOnFakeTime()
		const asked: string[] = []
		// The script that formats numbers comes with the first focus, and once.
		await page.route(/\/proxy\/sipcall\/(?!js\/)|\/exapps\//, (route) => {
			asked.push(route.request().url())
			return route.fulfill(answer)
		})
		await page.clock.runFor(31_000)
		await banner(page, kind).getByText(words).waitFor()
		const before = asked.length
		await page.clock.runFor(120_000)
		await settle(page)
		expect(asked.length).toBe(before)
		expect(await page.locator('[data-sip=row]').count()).toBeGreaterThan(0)
		for (const text of ['030 123417', 'Anna']) {
			await field(page).fill(text)
			await page.clock.runFor(5_000)
			await settle(page)
		}
		expect(asked.slice(before)).toEqual([])
		await page.context().close()
	})

	it.each([
		['an empty 500', { status: 500, contentType: 'text/html', body: '' }],
		['Nextcloud’s own 429', { status: 429, contentType: 'text/html', body: '<h2>Too many requests</h2>' }],
		['a 503 of SIPCall', { status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:x', title: 'x', status: 503, detail: 'The database does not answer.', code: 'storage_unavailable', requestId: 'r' }) }],
	])('asks at most once a second in a call, and less and less, while the answer is %s', async (_name, answer) => {
		const page = await openOnFakeTime()
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await card(page, '[data-status]').waitFor()
		const at: number[] = []
		await page.route('**/proxy/sipcall/**', async (route) => {
			at.push(await page.evaluate(() => Date.now()))
			await route.fulfill(answer)
		})
		for (let second = 0; second < 25; second++) {
			await page.clock.runFor(1000)
			await settle(page)
		}
		await banner(page, 'failing').waitFor()
		const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0))
		expect(Math.min(...gaps)).toBeGreaterThanOrEqual(900)
		expect(at.length).toBeGreaterThan(3)
		expect(at.length).toBeLessThanOrEqual(6)
		await page.unroute('**/proxy/sipcall/**')
		await page.clock.runFor(31_000)
		await banner(page, 'failing').waitFor({ state: 'detached' })
		await endCall(page)
		await page.context().close()
	})

	it('has one request under way while the server is slow, gives it up after 20 seconds, and can be used meanwhile', async () => {
		const page = await openOnFakeTime()
		const held: Route[] = []
		await page.route('**/proxy/sipcall/{me,call-history}*', (route) => {
			held.push(route)
		})
		await page.clock.runFor(31_000)
		await settle(page)
		expect(held.length).toBe(1)
		await page.clock.runFor(15_000)
		await settle(page)
		expect(held.length).toBe(1)
		expect(await page.locator('[data-sip=row]').count()).toBeGreaterThan(0)
		await field(page).fill('030 123477')
		await page.clock.runFor(1000)
		await page.locator('[data-sip=explain]').getByText('Germany').waitFor()
		await page.clock.runFor(10_000)
		await banner(page, 'failing').waitFor()
		await page.unroute('**/proxy/sipcall/{me,call-history}*')
		await Promise.all(held.map((route) => route.continue().catch(() => {})))
		await page.clock.runFor(61_000)
		await banner(page, 'failing').waitFor({ state: 'detached' })
		expect(await field(page).inputValue()).toContain('123477')
		await page.context().close()
	})

	it('waits as long as Nextcloud or SIPCall ask for', async () => {
		const page = await openOnFakeTime()
		let asked = 0
		await page.route('**/proxy/sipcall/**', (route) => {
			asked++
			return route.fulfill({ status: 503, headers: { 'Retry-After': '100' }, contentType: 'text/html', body: '' })
		})
		await page.clock.runFor(31_000)
		await banner(page, 'failing').waitFor()
		await page.clock.runFor(90_000)
		await settle(page)
		expect(asked).toBe(1)
		await page.clock.runFor(15_000)
		await settle(page)
		await page.waitForFunction(() => true)
		expect(asked).toBeGreaterThan(1)
		await page.context().close()
	})

	it('asks again within a second or two when it was opened while the server was starting', async () => {
		const page = await openOnFakeTime()
		const asked: string[] = []
		let isStarting = true
		await page.route('**/proxy/sipcall/{me,call-history}*', (route) => {
			asked.push(route.request().url())
			return isStarting ? route.fulfill({ status: 500, contentType: 'text/html', body: '' }) : route.fallback()
		})
		await page.reload()
		await page.getByText('Could not load the calls.').waitFor()
		await page.getByText('Could not load your phones.').waitFor()
		const atFirst = asked.length
		await page.clock.runFor(2500)
		await settle(page)
		expect(asked.length).toBeGreaterThan(atFirst)
		isStarting = false
		// Both were asked for in turn, although one of them failed first.
		await page.clock.runFor(12_000)
		await page.locator('[data-sip=row]').first().waitFor()
		await page.getByText('Could not load your phones.').waitFor({ state: 'detached' })
		await banner(page, 'failing').waitFor({ state: 'detached' })
		expect(asked.length).toBeLessThanOrEqual(8)
		await page.context().close()
	})

	it('asks less and less for what alone fails, and says so all the time, while the call is followed as ever', async () => {
		const page = await openOnFakeTime()
		await field(page).fill('030 123477')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		let me = 0
		let states = 0
		await page.route('**/proxy/sipcall/me', (route) => {
			me++
			return route.fulfill({ status: 500, contentType: 'text/html', body: '' })
		})
		await page.route('**/proxy/sipcall/call-status/*', (route) => {
			states++
			return route.continue()
		})
		// Second by second: all at once, what is asked of the call would seem to get no answer in time.
		while (me === 0) {
			await page.clock.runFor(1000)
			await settle(page)
		}
		await banner(page, 'failing').waitFor()
		for (let second = 0; second < 60; second++) {
			await page.clock.runFor(1000)
			await settle(page)
			expect(await banner(page, 'failing').count()).toBe(1)
		}
		expect(me).toBeGreaterThan(3)
		expect(me).toBeLessThan(9)
		expect(states).toBeGreaterThan(40)
		await page.unroute('**/proxy/sipcall/me')
		await page.clock.runFor(31_000)
		await banner(page, 'failing').waitFor({ state: 'detached' })
		await endCall(page)
		await page.context().close()
	})

	it('sends nothing while it is hidden, and asks at once when it is shown', async () => {
		const page = await openOnFakeTime()
		const setVisibility = (state: string) => page.evaluate((value) => {
			Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => value })
			document.dispatchEvent(new Event('visibilitychange'))
		}, state)
		await setVisibility('hidden')
		await settle(page)
		const before = proxied().length
		await page.clock.runFor(300_000)
		await settle(page)
		expect(proxied().length).toBe(before)
		const asked = page.waitForRequest(/\/proxy\/sipcall\//)
		await setVisibility('visible')
		await page.clock.runFor(100)
		await asked
		await page.context().close()
	})

	it('sends nothing while it is offline, and says that a running call goes on', async () => {
		const page = await openOnFakeTime()
		await page.context().setOffline(true)
		await banner(page, 'offline').getByText('You are offline.').waitFor()
		expect(await page.locator('[data-sip=call]').getAttribute('aria-disabled')).toBe('true')
		await page.context().setOffline(false)
		await banner(page, 'offline').waitFor({ state: 'detached' })
		await page.context().close()
	})

	it('counts the seconds down after too many calls, and calls nobody by itself', async () => {
		const page = await openOnFakeTime()
		let posts = 0
		await page.route('**/proxy/sipcall/call', (route) => {
			posts++
			return route.fulfill({
				status: 429,
				contentType: 'application/problem+json',
				json: { type: 'urn:x', title: 'Too many calls', status: 429, detail: 'Too many.', code: 'rate_limited', requestId: 'r1', retryAfterSec: 40 },
			})
		})
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=refusal]').getByText('Try again in 40 seconds.').first().waitFor()
		expect(await page.locator('[data-sip=call]').getAttribute('aria-disabled')).toBe('true')
		await page.clock.runFor(30_000)
		await page.locator('[data-sip=refusal]').getByText('Try again in 10 seconds.').waitFor()
		await page.keyboard.press('Enter')
		await page.clock.runFor(300_000)
		await page.locator('[data-sip=refusal]').waitFor({ state: 'detached' })
		expect(await page.locator('[data-sip=call]').getAttribute('aria-disabled')).toBeNull()
		expect(posts).toBe(1)
		await page.context().close()
	})

	it('leads to the call that stands in the way of another one', async () => {
		const page = await test.open()
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		await field(page).fill('030 1234567')
		await page.keyboard.press('Enter')
		await page.getByText('You are already in a call.').first().waitFor()
		expect(await field(page).inputValue()).toBe('030 1234567')
		await page.getByRole('button', { name: 'Show the call' }).click()
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('headline')
		await endCall(page)
		await page.context().close()
	})

	it('tells a fault of SIPCall by its code, and never shows what is inside', async () => {
		const page = await test.open()
		await page.route('**/proxy/sipcall/call', (route) => route.fulfill({
			status: 500,
			contentType: 'application/problem+json',
			json: { type: 'about:blank', title: 'x', status: 500, detail: 'select * from secrets', code: 'internal_error', requestId: 'req-4711' },
		}))
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await page.getByText('Tell your administrator this code: req-4711').waitFor()
		expect(await page.locator('body').innerText()).not.toContain('secrets')
		await page.context().close()
	})

	it('keeps history and privacy for somebody who may not call', async () => {
		await test.demo.request('POST', '/admin/config', { allowedGroups: ['nobody-at-all'] })
		const page = await test.open()
		await page.locator('[data-sip=not-permitted]').waitFor()
		await page.locator('[data-sip=row]').first().waitFor()
		expect(await field(page).count()).toBe(0)
		await test.demo.request('POST', '/admin/config', { allowedGroups: null })
		await page.context().close()
	})

	it('says that the phone system is away, keeps the list, and notices by itself when it is back', async () => {
		const page = await openOnFakeTime()
		test.app.freeSwitch.onCommand = () => 'drop-unheard'
		test.app.freeSwitch.dropConnections()
		// The sidecar notices by itself.
		await test.demo.untilCalling('down')
		await page.clock.runFor(31_000)
		await banner(page, 'switch-down').getByText('The phone system does not answer.').waitFor()
		expect(await page.locator('[data-sip=call]').getAttribute('aria-disabled')).toBe('true')
		expect(await page.locator('[data-sip=row]').count()).toBeGreaterThan(0)
		test.app.freeSwitch.onCommand = undefined
		// It logs in again by itself.
		await test.demo.untilCalling('ok')
		await page.clock.runFor(31_000)
		await banner(page, 'switch-down').waitFor({ state: 'detached' })
		await page.context().close()
	})

	it('shows a running call again, as it is, when the sidecar was stopped and started', async () => {
		const page = await test.open()
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await test.pickUp(page, 'connected')
		await test.app.app.stop()
		await banner(page, 'failing').waitFor()
		await card(page).getByText('The connection to SIPCall is interrupted.').waitFor()
		expect(await card(page).getAttribute('data-status')).toBe('connected')
		await test.app.restart()
		test.shell.exAppUrl = test.app.url
		await banner(page, 'failing').waitFor({ state: 'detached' })
		test.app.freeSwitch.hangUp(test.leg('b'))
		await card(page, '[data-outcome=completed]').waitFor()
		const { items } = (await test.app.as('demo').get<{ items: CallJson[] }>('/call-history?limit=1')).body
		expect(items[0]?.outcome).toBe('completed')
		await page.context().close()
	})

	it('says so when the server is killed in a call, asks less and less, and shows the call as it is once it is back', async () => {
		await test.app.app.stop()
		const port = await findFreePort()
		const sidecars: Sidecar[] = []
		const start = async () => {
			const sidecar = spawnSidecar(test.app.environment, port)
			sidecars.push(sidecar)
			await untilUp(sidecar)
			return sidecar
		}
		try {
			const sidecar = await start()
			test.shell.exAppUrl = sidecar.url
			const page = await openOnFakeTime()
			await page.locator('[data-sip=call]:not([aria-disabled])').waitFor()
			await field(page).fill('030 123488')
			await page.keyboard.press('Enter')
			await test.pickUp(page, 'connected')
			sidecar.process.kill('SIGKILL')
			await sidecar.exited
			let asked = 0
			page.on('request', () => asked++)
			for (let second = 0; second < 25; second++) {
				await page.clock.runFor(1000)
				await settle(page)
			}
			await banner(page, 'failing').waitFor()
			await card(page).getByText('The connection to SIPCall is interrupted.').waitFor()
			expect(await card(page).getAttribute('data-status')).toBe('connected')
			// 25 are the test's own.
			expect(asked - 25).toBeGreaterThan(2)
			expect(asked - 25).toBeLessThanOrEqual(7)
			await start()
			await page.clock.runFor(31_000)
			await banner(page, 'failing').waitFor({ state: 'detached' })
			expect(await card(page).getAttribute('data-status')).toBe('connected')
			test.app.freeSwitch.hangUp(test.leg('b'))
			await page.clock.runFor(5000)
			await card(page, '[data-outcome=completed]').waitFor()
			await page.context().close()
		} finally {
			for (const { process, exited } of sidecars) {
				process.kill('SIGKILL')
				await exited
			}
			await test.app.restart()
			test.shell.exAppUrl = test.app.url
		}
	})
})
