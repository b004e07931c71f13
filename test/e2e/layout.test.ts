// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the page has to keep: the order of the focus, what is read out, numbers from left to right, small and quick.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field } from '../support/page-test.ts'
import { startViewTest } from '../support/views.ts'
import { tab } from '../support/visible-focus.ts'

describe.skipIf(!browserAvailable())('the page', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startViewTest()
		// By the stream a status can be over before it was read out: here each is to be heard.
		test.shell.hasHarp = false
	})
	afterAll(() => test?.stop())

	it('reads numbers from left to right, whatever the direction', async () => {
		const page = await test.open('', { direction: 'rtl' })
		expect(await page.locator('[data-sip=row] bdi[dir=ltr]').first().innerText()).toMatch(/^\+49 30 /)
		await page.context().close()
	})

	it('does not show through the navigation that lies over it where there is little room', async () => {
		const page = await test.open()
		const [toggle, navigation] = [page.locator('.app-navigation-toggle'), page.locator('.app-navigation')]
		const colour = () => navigation.evaluate((element) => getComputedStyle(element).backgroundColor)
		expect(await colour()).toBe('rgba(255, 255, 255, 0.8)')
		await page.setViewportSize({ width: 375, height: 720 })
		await toggle.and(page.locator('[aria-expanded=false]')).click()
		expect(await colour()).toBe('rgb(255, 255, 255)')
		await page.context().close()
	})

	it('is walked through by Tab from the field to the list, and the focus is always seen', async () => {
		const page = await test.open()
		await page.locator('[data-sip=row]').nth(1).waitFor()
		await field(page).focus()
		const seen: string[] = []
		for (let step = 0; step < 10; step++) {
			expect(await tab(page)).toBeUndefined()
			seen.push(await page.evaluate(() => {
				const element = document.activeElement
				return element?.getAttribute('data-sip') ?? element?.getAttribute('data-filter') ?? (element?.hasAttribute('data-row') ? 'row' : element?.closest('[data-sip]')?.getAttribute('data-sip')) ?? ''
			}))
		}
		expect(seen).toEqual(['call', 'device', 'all', 'missed', 'answered', 'not_reached', 'more', 'csv', 'row', 'row'])
		// What looks the same with and without the focus is found, however it is framed.
		await page.addStyleTag({ content: '#content-vue * { outline: none !important; border: 1px solid red !important; box-shadow: none !important; transition: none !important }' })
		await page.locator('nav a').last().focus()
		for (let fault: string | undefined; ;) {
			fault = await tab(page)
			if (await page.evaluate(() => document.activeElement?.getAttribute('data-sip') === 'field')) {
				expect(fault).toContain('inputmode="tel"')
				break
			}
		}
		expect(await tab(page)).toContain('<button')
		await page.context().close()
	})

	/** A page that notes all that is read out from its start: by which kind of region, and what. */
	async function openListening(): Promise<Page> {
		const page = await test.open('/nowhere')
		await page.addInitScript(() => {
			const said: string[] = []
			const texts = new Map<Element, string>()
			Object.assign(globalThis, { said })
			new MutationObserver(() => {
				for (const region of document.querySelectorAll('#content-vue :is([role=status], [role=alert], [aria-live=polite], [aria-live=assertive])')) {
					const text = region.textContent?.trim().replace(/\d+ s\./, '# s.') ?? ''
					if (text !== (texts.get(region) ?? '') && text !== '') {
						said.push(`${region.getAttribute('role') ?? region.getAttribute('aria-live')}: ${text}`)
					}
					texts.set(region, text)
				}
			}).observe(document, { subtree: true, childList: true, characterData: true })
		})
		await page.goto(page.url().replace('/nowhere', ''))
		await page.locator('[data-sip=row]').first().waitFor()
		return page
	}

	const saidBy = (page: Page) => page.evaluate(() => (globalThis as unknown as { said: string[] }).said)
	/** Types a number and waits until all is said about it, in whatever order it becomes known. */
	async function type(page: Page, number: string, about: readonly string[]): Promise<void> {
		const before = (await saidBy(page)).length
		await field(page).fill(number)
		await page.waitForFunction((wanted) => (globalThis as unknown as { said: string[] }).said.length >= wanted, before + about.length)
		expect((await saidBy(page)).slice(before).toSorted()).toEqual(about.toSorted())
	}

	const IN_GERMANY = 'polite: Germany · landline · about €0.02 per minute'
	const untilSaid = (page: Page, text: string) => page.waitForFunction((wanted) => (globalThis as unknown as { said: string[] }).said.some((one) => one.includes(wanted)), text)

	it('reads out each status of a call once, politely, its end by others at once, and never the seconds', async () => {
		const page = await openListening()
		await type(page, '030 123456', [IN_GERMANY])
		await page.keyboard.press('Enter')
		await test.pickUp(page, 'connected')
		test.app.freeSwitch.hangUp(test.leg('b'))
		await untilSaid(page, 'hung up')
		expect((await saidBy(page)).slice(1)).toEqual([
			'status: Starting the call …',
			'status: Pick up your phone. “Desk” is ringing. +49 30 123456 is called when you answer.',
			'status: Ringing at +49 30 123456 … Calling from +4930999900',
			'status: Talking to +49 30 123456. +49 30 123456 · Desk',
			'alert: Call ended · # s. +49 30 123456 hung up.',
		])
		await page.context().close()
	})

	it('reads out a call that fails', async () => {
		const page = await openListening()
		await type(page, '030 123404', [IN_GERMANY])
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
		test.app.freeSwitch.answer(test.leg('a'))
		await untilSaid(page, 'The call failed')
		expect((await saidBy(page)).slice(1)).toEqual([
			'status: Starting the call …',
			'status: Pick up your phone. “Desk” is ringing. +49 30 123404 is called when you answer.',
			'alert: The call failed. This number is not in service. Check it and try again.',
		])
		await page.context().close()
	})

	it('reads out a number that may not be called, and a call that the server refuses', async () => {
		const page = await openListening()
		await type(page, '+33 1 23 45 67 89', ['polite: France · landline', 'alert: Calls to France are not allowed.Rule: Allowed countries.Open policy'])
		await page.keyboard.press('Enter')
		await page.route('**/proxy/sipcall/call', (route) => route.fulfill({
			status: 503,
			contentType: 'application/problem+json',
			json: { type: 'urn:x', title: 'x', status: 503, detail: 'x', code: 'trunk_unavailable', requestId: 'r1' },
		}))
		await type(page, '030 123457', [IN_GERMANY])
		await page.keyboard.press('Enter')
		await untilSaid(page, 'The phone company')
		expect((await saidBy(page)).slice(3)).toEqual([
			'status: Starting the call …',
			'alert: The call was not started.The phone company cannot be reached. Nothing was dialled.',
		])
		await page.context().close()
	})

	it('is ready soon after its script, and its files keep to their budgets', async () => {
		const readyMs: number[] = []
		for (let run = 0; run < 5; run++) {
			const page = await test.open()
			await field(page).waitFor()
			readyMs.push(await page.evaluate(() => {
				const ready = performance.getEntriesByName('sipcall:ready')[0]?.startTime ?? Infinity
				const script = performance.getEntriesByType('resource').find(({ name }) => name.includes('sipcall-main.js')) as PerformanceResourceTiming | undefined
				return ready - (script?.responseEnd ?? 0)
			}))
			await page.context().close()
		}
		const [, , median = Infinity] = readyMs.toSorted((a, b) => a - b)
		// The promise is one second on a machine that does nothing else; this only finds what makes it many times slower.
		expect(median).toBeLessThan(5000)
		const weigh = async (file: string) => gzipSync(await readFile(new URL(`../../ex_app/${file}`, import.meta.url)), { level: 9 }).length / 1000
		expect(await weigh('js/sipcall-main.js')).toBeLessThanOrEqual(185)
		expect(await weigh('js/sipcall-number.js')).toBeLessThanOrEqual(36)
		expect(await weigh('js/sipcall-manage.js')).toBeLessThanOrEqual(110)
		expect(await weigh('js/sipcall-charts.js')).toBeLessThanOrEqual(62)
		expect(await weigh('css/sipcall-main.css')).toBeLessThanOrEqual(20)
	})
})
