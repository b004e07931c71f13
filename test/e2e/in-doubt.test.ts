// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A click on “Call” whose answer was lost: nobody knows whether it became a call.

import type { Locator, Page } from 'playwright-core'
import type { CallJson } from '../../lib/http/schemas.ts'
import type { OpenOptions, PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clickMark } from '../../src/services/kept-click.ts'
import { browserAvailable } from '../support/browser.ts'
import { card, field, startPageTest } from '../support/page-test.ts'

const CALL = '**/proxy/sipcall/call'
const HISTORY = '**/proxy/sipcall/call-history*'
const TO = '030 123456'

describe.skipIf(!browserAvailable())('a click whose answer was lost', () => {
	let test: PageTest
	let originates: number
	beforeAll(async () => {
		test = await startPageTest()
		await test.makeCall('+4930123417', 'busy')
	})
	afterAll(() => test?.stop())
	beforeEach(() => {
		originates = test.app.freeSwitch.originates.length
	})

	/** How often the switch was told to call. */
	const called = () => test.app.freeSwitch.originates.length - originates
	const notice = (page: Page) => page.locator('[data-sip=refusal]')
	const inDoubt = (page: Page) => notice(page).getByText('SIPCall could not find out whether the call was started.')
	const kept = (page: Page) => page.evaluate(() => sessionStorage.getItem('sipcall:click'))
	const hasFocus = (page: Page, selector: string) => page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector)
	/** What the page has sent has reached Nextcloud when the answer to this is back. */
	const settle = (page: Page) => page.evaluate(async () => {
		await fetch('/csrftoken')
	})

	/** A page whose time stands still; the test moves it. */
	async function open(options: OpenOptions = {}): Promise<Page> {
		const page = await test.open('', { ownClock: true, ...options })
		await page.locator('[data-sip=row]').first().waitFor()
		await page.locator('[data-sip=call]').waitFor()
		await page.clock.pauseAt(await page.evaluate(() => Date.now() + 1000))
		return page
	}

	async function runFor(page: Page, seconds: number): Promise<void> {
		for (let second = 0; second < seconds; second++) {
			await page.clock.runFor(1000)
			await settle(page)
		}
	}

	/** However late the answers come that start the page's timers. */
	async function runUntil(page: Page, wanted: Locator): Promise<void> {
		for (let second = 0; second < 60 && !await wanted.isVisible(); second++) {
			await runFor(page, 1)
		}
		await wanted.waitFor()
	}

	/**
	 * What becomes of clicks on their way: the answers are lost after the server has heard them, or they are lost themselves.
	 *
	 * @return the keys of the requests, also of those that never arrived
	 */
	async function lose(page: Page, what: 'answers' | 'clicks', count = Infinity): Promise<string[]> {
		const keys: string[] = []
		await page.route(CALL, async (route) => {
			keys.push(route.request().headers()['idempotency-key'] ?? '')
			if (keys.length > count) {
				await route.continue()
				return
			}
			if (what === 'answers') {
				await route.fetch()
			}
			await route.abort('connectionreset')
		})
		return keys
	}

	async function click(page: Page, to = TO): Promise<void> {
		await field(page).fill(to)
		await page.keyboard.press('Enter')
	}

	async function untilChecking(page: Page): Promise<void> {
		await card(page).getByText('Checking whether the call was started').waitFor()
	}

	/** All three requests of a click are lost. */
	async function untilInDoubt(page: Page): Promise<void> {
		await untilChecking(page)
		await runUntil(page, inDoubt(page))
	}

	/** Everything that the page sends from now on. */
	function watchRequests(page: Page): string[] {
		const sent: string[] = []
		page.on('request', (request) => {
			const [, path] = /\/proxy\/sipcall(\/[^?]*)/.exec(request.url()) ?? []
			if (path !== undefined) {
				sent.push(`${request.method()} ${path}`)
			}
		})
		return sent
	}

	/** From here on the page's time goes on by itself. */
	async function untilCard(page: Page, selector: string, words = ''): Promise<void> {
		await page.clock.resume()
		await card(page, selector).getByText(words).first().waitFor()
	}

	async function endCall(page: Page): Promise<void> {
		await page.keyboard.press('Shift+Escape')
		await untilCard(page, '[data-status=ended]')
		await page.context().close()
	}

	it('is sent again with the same key, and ends in the true state', async () => {
		const page = await open()
		const keys = await lose(page, 'answers', 2)
		await click(page)
		await untilChecking(page)
		await runUntil(page, card(page, '[data-status=calling_user]'))
		await untilCard(page, '[data-status=calling_user]')
		expect(keys).toHaveLength(3)
		expect(new Set(keys).size).toBe(1)
		expect(called()).toBe(1)
		await expect.poll(() => kept(page)).toBeNull()
		await endCall(page)
	})

	it('is in doubt after three; “Call again” sends the same key, and there is one call', async () => {
		const page = await open()
		const keys = await lose(page, 'answers', 3)
		await page.route(HISTORY, (route) => route.abort())
		await click(page)
		await untilInDoubt(page)
		expect(keys).toHaveLength(3)
		expect(await page.locator('[data-sip=show-newest]').count()).toBe(1)
		await page.locator('[data-sip=repeat]').click()
		await untilCard(page, '[data-status=calling_user]')
		await notice(page).waitFor({ state: 'detached' })
		expect(keys).toHaveLength(4)
		expect(new Set(keys).size).toBe(1)
		expect(called()).toBe(1)
		await endCall(page)
	})

	it('is the same click when the same number is called again, and another one for another number', async () => {
		const page = await open()
		const keys = await lose(page, 'clicks', 3)
		await click(page)
		await untilInDoubt(page)
		await page.locator('[data-sip=call]').click()
		await untilCard(page, '[data-status=calling_user]')
		expect(new Set(keys).size).toBe(1)
		expect(called()).toBe(1)
		await click(page, '030 123457')
		await page.getByText('You are already in a call.').first().waitFor()
		expect(new Set(keys).size).toBe(2)
		await endCall(page)
	})

	it('stays in doubt when it is made again and the server does not come to its key', async () => {
		const page = await open()
		const keys = await lose(page, 'answers', 3)
		await page.route(HISTORY, (route) => route.abort())
		await click(page)
		await untilInDoubt(page)
		await page.unroute(CALL)
		await page.route(CALL, (route) => {
			keys.push(route.request().headers()['idempotency-key'] ?? '')
			return route.fulfill({ status: 503, contentType: 'application/problem+json', json: { type: 'urn:x', title: 'x', status: 503, detail: 'x', code: 'nextcloud_unavailable', requestId: 'r' } })
		})
		await page.locator('[data-sip=call]').click()
		await untilInDoubt(page)
		expect(await page.getByText('The call was not started.').count()).toBe(0)
		await page.unroute(CALL)
		await page.locator('[data-sip=repeat]').click()
		await untilCard(page, '[data-status=calling_user]')
		expect(new Set(keys).size).toBe(1)
		expect(called()).toBe(1)
		await endCall(page)
	})

	it('is ended after “Cancel call” also when the page shows something else by then', async () => {
		const page = await open()
		await lose(page, 'answers')
		await click(page)
		await untilChecking(page)
		const sent = watchRequests(page)
		let answer: (() => Promise<void>) | undefined
		await page.route(/call-history\?.*idempotencyKey=/, (route) => {
			answer = () => route.continue()
		})
		await card(page).locator('[data-sip=hangup]').click()
		await expect.poll(() => answer).toBeDefined()
		await page.getByRole('link', { name: 'Privacy' }).click()
		await card(page).waitFor({ state: 'detached' })
		await answer?.()
		await expect.poll(() => sent.filter((request) => request.startsWith('DELETE')).length).toBe(1)
		await test.app.freeSwitch.until(() => test.app.freeSwitch.channels().length === 0)
		expect(called()).toBe(1)
		await page.context().close()
	})

	it('is looked for by “Show newest calls”, which only reads, and the card of the call has the focus', async () => {
		const page = await open()
		await lose(page, 'answers')
		await page.route(HISTORY, (route) => route.abort())
		await click(page)
		await untilInDoubt(page)
		await page.unroute(HISTORY)
		const sent = watchRequests(page)
		await page.locator('[data-sip=show-newest]').click()
		await untilCard(page, '[data-status=calling_user]')
		await hasFocus(page, '[data-sip=headline]')
		await notice(page).waitFor({ state: 'detached' })
		expect(sent.length).toBeGreaterThan(0)
		expect(sent.filter((request) => !request.startsWith('GET '))).toEqual([])
		expect(called()).toBe(1)
		expect(await kept(page)).toBeNull()
		await endCall(page)
	})

	it('stays in doubt when “Show newest calls” finds none; the newest row has the focus, whatever was listed', async () => {
		const page = await open()
		await lose(page, 'clicks')
		await page.locator('[data-filter=answered]').click()
		await page.locator('[data-sip=empty]').waitFor()
		await click(page)
		await untilInDoubt(page)
		await field(page).fill('')
		const sent = watchRequests(page)
		await page.locator('[data-sip=show-newest]').click()
		await hasFocus(page, '[data-sip=row] [data-row]')
		expect(sent.filter((request) => !request.startsWith('GET '))).toEqual([])
		expect(await notice(page).count()).toBe(1)
		expect(called()).toBe(0)
		await page.context().close()
	})

	it('is asked for by itself after half a minute, or when its call shows', async () => {
		const page = await open()
		await lose(page, 'answers')
		await page.route(HISTORY, (route) => route.abort())
		await click(page)
		await untilInDoubt(page)
		await page.unroute(HISTORY)
		await runUntil(page, card(page, '[data-status=calling_user]'))
		await untilCard(page, '[data-status=calling_user]')
		await notice(page).waitFor({ state: 'detached' })
		await endCall(page)
	})

	it('is asked for at once when its call was shown before it was in doubt', async () => {
		const page = await open()
		let posts = 0
		let letGo = (): void => {}
		const isShown = new Promise<void>((resolve) => {
			letGo = resolve
		})
		await page.route(CALL, async (route) => {
			await (++posts === 1 ? route.fetch() : isShown)
			await route.abort('connectionreset')
		})
		await click(page)
		await untilChecking(page)
		await runUntil(page, card(page, '[data-status=calling_user]'))
		letGo()
		for (let second = 0; second < 20 && posts < 3; second++) {
			await runFor(page, 1)
		}
		// Time stands still: nothing that comes later can be what tells.
		await expect.poll(() => kept(page)).toBeNull()
		expect(await notice(page).count()).toBe(0)
		expect(posts).toBe(3)
		expect(called()).toBe(1)
		await page.clock.resume()
		await endCall(page)
	})

	it('is not sent again after “Cancel call”: its call is found and ended', async () => {
		const page = await open()
		const keys = await lose(page, 'answers')
		await click(page)
		await untilChecking(page)
		const sent = watchRequests(page)
		await card(page).locator('[data-sip=hangup]').click()
		await untilCard(page, '[data-outcome=cancelled]', 'Call cancelled')
		await runFor(page, 10)
		expect(keys).toHaveLength(1)
		expect(sent.filter((request) => request.startsWith('DELETE /call/'))).toHaveLength(1)
		expect(called()).toBe(1)
		expect(test.app.freeSwitch.channels()).toEqual([])
		expect(await kept(page)).toBeNull()
		await page.context().close()
	})

	it('is called off also while a repetition is on its way, and when it was cancelled before the answer was lost', async () => {
		const page = await open()
		const posts: string[] = []
		await page.route(CALL, async (route) => {
			posts.push(route.request().method())
			if (posts.length === 1) {
				await route.fetch()
				await route.abort('connectionreset')
			}
			// No answer comes to the second.
		})
		await click(page)
		await untilChecking(page)
		await runFor(page, 1)
		await expect.poll(() => posts.length).toBe(2)
		await page.keyboard.press('Shift+Escape')
		await untilCard(page, '[data-outcome=cancelled]')
		await page.unroute(CALL)

		let answer: (() => Promise<void>) | undefined
		await page.route(CALL, async (route) => {
			posts.push(route.request().method())
			await route.fetch()
			answer = () => route.abort('connectionreset')
		})
		await click(page, '030 123458')
		await expect.poll(() => answer).toBeDefined()
		await card(page).locator('[data-sip=hangup]').click()
		await answer?.()
		await untilCard(page, '[data-outcome=cancelled]')
		await runFor(page, 5)
		expect(posts).toHaveLength(3)
		await page.context().close()
	})

	it('does not end a call that is not its own, and asks no more often than its card does', async () => {
		const page = await open()
		let lost = (): void => {}
		const isLost = new Promise<void>((resolve) => {
			lost = resolve
		})
		await page.route(CALL, async (route) => {
			await isLost
			await route.abort('connectionreset')
		})
		await click(page)
		await card(page).getByText('Starting the call').waitFor()
		const { body: other } = await test.demo.call('+4930123456')
		await test.demo.until(other.uuid, ({ status }) => status === 'calling_user')
		await runUntil(page, card(page, '[data-status=calling_user]'))
		lost()
		const sought = card(page).filter({ hasText: 'Checking whether the call was started' })
		await sought.waitFor()
		const sent = watchRequests(page)
		const from = await page.evaluate(() => Date.now())
		await sought.locator('[data-sip=hangup]').click()
		await runUntil(page, notice(page).getByText('No call was found.'))
		const seconds = await page.evaluate((start) => (Date.now() - start) / 1000, from)
		expect(sent.length).toBeLessThanOrEqual(seconds + 1)
		expect(sent.filter((request) => request.includes('/call-status/')).length).toBeGreaterThan(5)
		expect(sent.filter((request) => request.includes('/call-history')).length).toBeGreaterThan(5)
		expect(sent.filter((request) => request.startsWith('DELETE'))).toEqual([])
		expect((await test.demo.get<CallJson>(`/call-status/${other.uuid}`)).body.status).toBe('calling_user')
		await test.demo.hangUp(other.uuid)
		await test.demo.untilEnded(other.uuid)
		await page.context().close()
	})

	it('is looked for once a second for 30 seconds after “Cancel call”, and then it is told that there is none', async () => {
		const page = await open()
		const keys = await lose(page, 'clicks')
		await click(page)
		await untilChecking(page)
		const looks: number[] = []
		await page.route(/call-history\?.*idempotencyKey=/, async (route) => {
			looks.push(await page.evaluate(() => Date.now()))
			await route.continue()
		})
		await card(page).locator('[data-sip=hangup]').click()
		await card(page).getByText('Looking for the call to end it').waitFor()
		await runFor(page, 25)
		expect(await notice(page).count()).toBe(0)
		await runUntil(page, notice(page).getByText('No call was found.'))
		await card(page).waitFor({ state: 'detached' })
		const gaps = looks.slice(1).map((time, index) => time - (looks[index] ?? 0))
		expect(looks.length).toBeGreaterThan(10)
		expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000)
		expect(keys).toHaveLength(1)
		expect(called()).toBe(0)
		expect(await kept(page)).toBeNull()
		await page.context().close()
	})

	it('is not said to be cancelled while nobody answers; it is asked for less and less, and its call shows when somebody does', async () => {
		const page = await open()
		await lose(page, 'answers')
		await click(page)
		await untilChecking(page)
		let looks = 0
		await page.route(/call-history\?.*idempotencyKey=/, (route) => {
			looks++
			return route.abort()
		})
		await card(page).locator('[data-sip=hangup]').click()
		await runUntil(page, notice(page).getByText('It could not be cancelled.'))
		expect(looks).toBeGreaterThan(2)
		expect(looks).toBeLessThan(8)
		await page.unroute(/call-history\?.*idempotencyKey=/)
		// By itself, and at the latest with the next look at all: “Show newest calls” may be gone before anybody presses it.
		await runUntil(page, card(page, '[data-status=calling_user]'))
		await untilCard(page, '[data-status=calling_user]')
		await endCall(page)
	})

	it('is not sent again once Nextcloud no longer knows the browser', async () => {
		const page = await open()
		await lose(page, 'clicks')
		await click(page)
		await untilChecking(page)
		const sent = watchRequests(page)
		await page.route('**/proxy/sipcall/**', (route) => route.fulfill({ status: 401, contentType: 'application/json', body: '{"message":"Current user is not logged in"}' }))
		await field(page).fill('Anna')
		await page.clock.runFor(900)
		await page.locator('[data-banner=logged-out]').waitFor()
		await runFor(page, 10)
		expect(sent).not.toContain('POST /call')
		await page.context().close()
	})

	it('is not said to be refused when it is the page that asks too often', async () => {
		const page = await open()
		let posts = 0
		await page.route(CALL, (route) => ++posts === 1
			? route.abort('connectionreset')
			: route.fulfill({ status: 429, contentType: 'application/problem+json', json: { type: 'urn:x', title: 'x', status: 429, detail: 'Too many requests.', code: 'rate_limited', requestId: 'r', retryAfterSec: 5 } }))
		await click(page)
		await untilChecking(page)
		await runUntil(page, inDoubt(page))
		expect(await notice(page).getByText('The call was not started.').count()).toBe(0)
		await page.context().close()
	})

	it('that was two presses is one request', async () => {
		const page = await open()
		const keys = await lose(page, 'answers', 0)
		await field(page).fill(TO)
		await page.locator('[data-sip=call]').dblclick()
		await untilCard(page, '[data-status=calling_user]')
		await settle(page)
		expect(keys).toHaveLength(1)
		expect(called()).toBe(1)
		await endCall(page)
	})

	describe('in a page that is loaded again', () => {
		/** @return the keys that the pages have sent */
		async function reloadInDoubt(page: Page, what: 'answers' | 'clicks'): Promise<string[]> {
			const keys = await lose(page, what, 1)
			await click(page)
			await untilChecking(page)
			expect(await kept(page)).toMatch(/"key"/)
			await page.reload()
			return keys
		}

		it('shows its call, and sends nothing', async () => {
			const page = await open()
			const sent = watchRequests(page)
			const keys = await reloadInDoubt(page, 'answers')
			await untilCard(page, '[data-status=calling_user]')
			expect(await notice(page).count()).toBe(0)
			expect(keys).toHaveLength(1)
			expect(sent.filter((request) => request === 'POST /call')).toHaveLength(1)
			await page.waitForFunction(() => sessionStorage.getItem('sipcall:click') === null)
			await endCall(page)
		})

		it('shows how its call ended, if it has', async () => {
			const page = await open()
			await lose(page, 'answers', 1)
			await click(page)
			await untilChecking(page)
			test.app.freeSwitch.hangUp(test.leg('a'), 'USER_BUSY')
			const { items: [call] } = (await test.demo.get<{ items: CallJson[] }>('/call-history?limit=1')).body
			await test.demo.untilEnded(call?.uuid ?? '')
			await page.reload()
			await untilCard(page, '[data-outcome=busy]', 'Your phone is busy')
			expect(await notice(page).count()).toBe(0)
			await page.context().close()
		})

		it('is in doubt without one, and no number was kept; the same number is the same click', async () => {
			const page = await open()
			const keys = await lose(page, 'clicks', 1)
			await click(page)
			await untilChecking(page)
			const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))
			expect(stored).toContain(keys[0])
			expect(stored.replaceAll(/[^\d]/g, '')).not.toContain('123456')
			await page.reload()
			await notice(page).getByText('Check your phone and the newest calls.').waitFor()
			expect(await page.locator('[data-sip=repeat]').count()).toBe(0)
			expect(await page.locator('[data-sip=show-newest]').count()).toBe(1)
			await click(page)
			await untilCard(page, '[data-status=calling_user]')
			expect(keys).toHaveLength(2)
			expect(new Set(keys).size).toBe(1)
			expect(called()).toBe(1)
			await endCall(page)
		})

		it('is another click for another number', async () => {
			const page = await open()
			const keys = await reloadInDoubt(page, 'clicks')
			await notice(page).waitFor()
			await click(page, '030 123459')
			await untilCard(page, '[data-status=calling_user]')
			expect(new Set(keys).size).toBe(2)
			await endCall(page)
		})

		it('is a new click where its mark fits another number by chance', async () => {
			const { body: other } = await test.demo.call('+4930123477', { key: 'click-1' })
			await test.demo.hangUp(other.uuid)
			await test.demo.untilEnded(other.uuid)
			const page = await open()
			await page.route(HISTORY, (route) => route.abort())
			const device = (await test.demo.get<{ devices: { id: string }[] }>('/me')).body.devices[0]?.id ?? ''
			await page.evaluate((mark) => {
				sessionStorage.setItem('sipcall:click', JSON.stringify({ user: 'demo', key: 'click-1', at: Date.now(), mark }))
			}, clickMark('click-1', { to: TO, device }))
			await page.reload()
			await notice(page).waitFor()
			const keys = await lose(page, 'answers', 0)
			await click(page)
			await untilCard(page, '[data-status=calling_user]')
			expect(keys).toEqual(['click-1', expect.not.stringMatching(/^click-1$/)])
			await endCall(page)
		})

		it('is forgotten for another user', async () => {
			const page = await open()
			await page.evaluate(() => sessionStorage.setItem('sipcall:click', JSON.stringify({ user: 'guest', key: 'click-2', at: Date.now(), mark: 1 })))
			await page.reload()
			await page.locator('[data-sip=row]').first().waitFor()
			expect(await kept(page)).toBeNull()
			expect(await notice(page).count()).toBe(0)
			await page.context().close()
		})
	})
})
