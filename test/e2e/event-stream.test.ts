// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How the page hears of a call: by the server's stream where HaRP lets it through, else by asking.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('news of a call', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest()
	})
	beforeEach(() => {
		test.shell.hasHarp = true
	})
	afterAll(() => test?.stop())

	const byHarp = (path: string) => test.shell.requests.filter(({ part, url }) => part === 'harp' && url.endsWith(path))
	const polls = () => test.shell.requests.filter(({ part, url }) => part === 'proxy' && url.includes('/call-status/')).length
	const settle = (page: Page) => page.evaluate(async () => {
		await fetch('/csrftoken')
	})

	/** A page whose time stands still, so that nothing is asked for by itself; its stream is open. */
	async function openStreaming(): Promise<Page> {
		const page = await test.open('/nowhere')
		await page.clock.install()
		const opened = page.waitForResponse('**/exapps/sipcall/events')
		await page.goto(page.url().replace('/nowhere', ''))
		await field(page).waitFor()
		await opened
		return page
	}

	async function call(): Promise<string> {
		const { body } = await test.demo.call('+4930123456')
		await test.demo.until(body.uuid, ({ status }) => status === 'calling_user')
		return body.uuid
	}

	it('comes by itself over HaRP, in every step, also of a call that was started elsewhere', async () => {
		const page = await openStreaming()
		const before = polls()
		await call()
		await card(page, '[data-status=calling_user]').waitFor()
		test.app.freeSwitch.answer(test.leg('a'))
		await card(page, '[data-status=ringing]').waitFor()
		test.app.freeSwitch.answer(test.leg('b'))
		await card(page, '[data-status=connected]').waitFor()
		test.app.freeSwitch.hangUp(test.leg('b'))
		await card(page, '[data-outcome=completed]').waitFor()
		await page.locator('[data-sip=row][data-outcome=completed]').first().waitFor()
		expect(polls()).toBe(before)
		expect(byHarp('/me').length).toBe(1)
		await page.context().close()
	})

	it('is asked for every ten seconds beside the stream, and every second when that is cut', async () => {
		const page = await openStreaming()
		const uuid = await call()
		await card(page, '[data-status=calling_user]').waitFor()
		const before = polls()
		for (let second = 0; second < 9; second++) {
			await page.clock.runFor(1000)
			await settle(page)
		}
		expect(polls()).toBe(before)
		await page.clock.runFor(2000)
		while (polls() === before) {
			await settle(page)
		}
		// The stream is gone for good: the browser gives up on an answer that is none.
		test.shell.hasHarp = false
		await page.evaluate(() => {
			Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' })
			document.dispatchEvent(new Event('visibilitychange'))
			Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'visible' })
			document.dispatchEvent(new Event('visibilitychange'))
		})
		await settle(page)
		const cut = polls()
		for (let second = 0; second < 8; second++) {
			await page.clock.runFor(1000)
			await settle(page)
		}
		expect(polls() - cut).toBeGreaterThanOrEqual(3)
		await test.demo.hangUp(uuid)
		await test.demo.untilEnded(uuid)
		await page.context().close()
	})

	it('is closed for good when the session has ended', async () => {
		const page = await openStreaming()
		const closed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/exapps/sipcall/events'))
		await page.route('**/proxy/sipcall/{me,call-history}*', (route) => route.fulfill({ status: 401, contentType: 'application/json', body: '{"message":"Current user is not logged in"}' }))
		await page.clock.runFor(31_000)
		await page.locator('[data-banner=logged-out]').waitFor()
		await closed
		const before = byHarp('/events').length
		await page.clock.runFor(600_000)
		await settle(page)
		expect(byHarp('/events').length).toBe(before)
		await page.context().close()
	})

	it('is asked for where there is no HaRP, after one look for it', async () => {
		test.shell.hasHarp = false
		const streams = byHarp('/events').length
		const probes = () => test.shell.requests.filter(({ url }) => url === '/exapps/sipcall/me').length
		const before = probes()
		const page = await test.open()
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await test.pickUp(page, 'connected')
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
		expect(probes() - before).toBe(1)
		expect(byHarp('/events').length).toBe(streams)
		await page.context().close()
	})

	it('does not come to a page that nobody sees', async () => {
		const page = await openStreaming()
		await page.evaluate(() => {
			Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' })
			document.dispatchEvent(new Event('visibilitychange'))
		})
		const uuid = await call()
		await settle(page)
		expect(await card(page).count()).toBe(0)
		await page.evaluate(() => {
			Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'visible' })
			document.dispatchEvent(new Event('visibilitychange'))
		})
		await card(page, '[data-status=calling_user]').waitFor()
		await test.demo.hangUp(uuid)
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.context().close()
	})

	it('is tried again less and less while the server is away, and comes again once it is back', async () => {
		const page = await openStreaming()
		await page.clock.pauseAt(await page.evaluate(() => Date.now()) + 1000)
		const streams = () => byHarp('/events').length
		const answered = () => page.waitForResponse('**/exapps/sipcall/events')
		const before = streams()
		// The browser comes back once by itself, and gives up when it gets no stream.
		const refused = answered()
		await test.app.app.stop()
		await refused
		await settle(page)
		expect(streams()).toBe(before + 1)
		for (const [times, waitMs] of [30_000, 60_000, 120_000, 240_000, 480_000, 480_000].entries()) {
			await page.clock.runFor(waitMs - 1000)
			await settle(page)
			expect(streams()).toBe(before + 1 + times)
			const again = answered()
			await page.clock.runFor(1500)
			await again
			await settle(page)
			expect(streams()).toBe(before + 2 + times)
		}
		await test.app.restart()
		test.shell.exAppUrl = test.app.url
		const opened = answered()
		await page.clock.runFor(480_000)
		expect((await opened).status()).toBe(200)
		await page.context().close()
	})
})
