// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The built page in Chromium before the real sidecar, for test files that look at it.

import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { CallJson } from '../../lib/http/schemas.ts'
import type { NextcloudShell, ShellRequest } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import type { ApiClient, TestApp, TestAppOptions } from './app.ts'

import { startTestApp } from './app.ts'
import { sharedBrowser } from './browser.ts'
import { buildPage } from './page.ts'

/** The page's address below Nextcloud's. */
export const PAGE = '/index.php/apps/app_api/embedded/sipcall/calls'

export interface OpenOptions extends BrowserContextOptions {
	/** As Nextcloud tells it to the page. */
	language?: string
	direction?: 'ltr' | 'rtl'
	/** Another tab of this one's browser. */
	beside?: Page
	user?: string
	/** The test moves the page's clock on, by `page.clock`; by itself it goes as all clocks do. */
	ownClock?: boolean
	/** The page's time since it was opened stands still at 0, until the test sets `data-late` on the document. */
	slowClock?: boolean
}

export interface PageTest {
	app: TestApp
	shell: NextcloudShell
	demo: ApiClient
	/** Opens the page at a path below its root, in a browser profile of its own. */
	open(path?: string, options?: OpenOptions): Promise<Page>
	/** A leg of the call that is going on. */
	leg(role: 'a' | 'b'): string
	/** What the page has asked of the API so far; `path` as in `/call`. */
	asked(method: string, path: string): ShellRequest[]
	/** A call from its first to its last step, without the page. */
	makeCall(to: string, end: 'answered' | 'busy' | 'cancelled'): Promise<CallJson>
	/** The scripted phones put a call through, up to a status. */
	pickUp(page: Page, until: 'ringing' | 'connected'): Promise<void>
	stop(): Promise<void>
}

export interface PageTestOptions extends TestAppOptions {
	settings?: Record<string, unknown>
	/** The page hears of calls by the server's stream, at once, and does not ask each second. */
	hasHarp?: boolean
}

/** Phones ring until the test picks up: no step waits for a clock. */
export async function startPageTest(options: PageTestOptions = {}): Promise<PageTest> {
	await buildPage()
	const app = await startTestApp({
		...options,
		freeSwitch: { speed: 1, pace: { phoneRings: Infinity, destinationRings: Infinity }, ...options.freeSwitch },
		overrides: { sweepMs: 100, ...options.overrides },
	})
	app.nextcloud.exAppUrl = app.url
	const demo = await app.prepare(options.settings)
	const browser = await sharedBrowser()
	const contexts = new Set<BrowserContext>()
	const shell = app.nextcloud
	shell.hasHarp = options.hasHarp ?? false
	const leg = (role: 'a' | 'b') => app.freeSwitch.channels().find((channel) => channel.leg === role)?.uuid ?? ''

	return {
		app,
		shell,
		demo,
		leg,
		async open(path = '', { language = 'en', direction = 'ltr', beside, user = 'demo', slowClock = false, ownClock = false, ...contextOptions } = {}) {
			const context: BrowserContext = beside?.context() ?? await browser.newContext({ viewport: { width: 1280, height: 800 }, ...contextOptions })
			contexts.add(context)
			const page = await context.newPage()
			const account = shell.users.get(user)
			if (account !== undefined) {
				shell.users.add({ ...account, language })
			}
			if (direction === 'rtl') {
				await page.route((url) => url.pathname.startsWith(PAGE), async (route) => {
					const answer = await route.fetch()
					await route.fulfill({ response: answer, body: (await answer.text()).replace('<body dir="ltr"', '<body dir="rtl"') })
				})
			}
			if (ownClock) {
				await page.clock.install()
			}
			if (slowClock) {
				await page.addInitScript(() => {
					performance.now = () => document.documentElement.dataset.late === undefined ? 0 : 60_000
				})
			}
			await context.addCookies([{ name: 'nc_username', value: user, url: shell.url }])
			await page.goto(shell.url + PAGE + path)
			return page
		},
		asked: (method, path) => shell.requests.filter((request) => request.part === 'proxy' && request.method === method && new URL(request.url, 'http://cloud.invalid').pathname.endsWith(`/proxy/sipcall${path}`)),
		async makeCall(to, end) {
			const { body } = await demo.call(to)
			await demo.until(body.uuid, ({ status }) => status === 'calling_user')
			if (end === 'cancelled') {
				await demo.hangUp(body.uuid)
				return demo.untilEnded(body.uuid)
			}
			app.freeSwitch.answer(leg('a'))
			await demo.until(body.uuid, ({ status }) => status === 'ringing')
			if (end === 'busy') {
				app.freeSwitch.hangUp(leg('b'), 'USER_BUSY')
			} else {
				app.freeSwitch.answer(leg('b'))
				await demo.until(body.uuid, ({ status }) => status === 'connected')
				app.freeSwitch.hangUp(leg('b'))
			}
			return demo.untilEnded(body.uuid)
		},
		async pickUp(page, until) {
			await card(page, '[data-status=calling_user]').waitFor()
			app.freeSwitch.answer(leg('a'))
			await card(page, '[data-status=ringing]').waitFor()
			if (until === 'connected') {
				app.freeSwitch.answer(leg('b'))
				await card(page, '[data-status=connected]').waitFor()
			}
		},
		async stop() {
			await Promise.all([...contexts].map((context) => context.close()))
			await app.stop()
		},
	}
}

export function field(page: Page): Locator {
	return page.locator('[data-sip=field]')
}

export function card(page: Page, selector = ''): Locator {
	return page.locator(`[data-sip=card]${selector}`)
}

/** Runs in the page: whether the script that reads and formats numbers is there. */
export function hasNumberTools(): boolean {
	return (globalThis as { sipcallScripts?: Record<string, unknown> }).sipcallScripts?.number !== undefined
}

/** Resolves when the page has come so far; a fresh look at each frame of the browser. */
export async function until(page: Page, condition: () => boolean): Promise<void> {
	await page.waitForFunction(condition)
}

/**
 * Brings what is moving into its place, at once, and waits until each dialog holds the focus: it does so only when it has
 * come in, and takes the focus from whoever was quicker.
 */
export async function atRest(page: Page): Promise<void> {
	// What measures itself does so in the frames after a change.
	await page.evaluate(async () => {
		for (let frame = 0; frame < 3; frame++) {
			await new Promise(requestAnimationFrame)
		}
	})
	await page.waitForFunction(() => {
		const moving = document.getAnimations().filter((animation) => animation.playState === 'running' && animation.effect?.getComputedTiming().iterations !== Infinity)
		moving.forEach((animation) => animation.finish())
		const { _nc_focus_trap: traps = [] } = globalThis as { _nc_focus_trap?: unknown[] }
		return moving.length === 0 && traps.length >= document.querySelectorAll('[role=dialog][aria-modal=true]').length
	})
}
