// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A call on the page, from one tab or two.

import type { Page } from 'playwright-core'
import type { CallJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('the card', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({ settings: { callerIds: [{ number: '+49309876543', label: 'Office' }] } })
	})
	afterAll(() => test?.stop())

	async function dial(page: Page, to: string): Promise<void> {
		await field(page).fill(to)
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
	}

	it.each([
		['en', ['Starting the call', 'Pick up your phone', 'Ringing at +49 30 123456', 'Talking to +49 30 123456', 'Call ended']],
		['de', ['Der Anruf wird gestartet', 'Bitte das Telefon abnehmen', 'Es klingelt bei +49 30 123456', 'Im Gespräch mit +49 30 123456', 'Anruf beendet']],
		['fr', ['Lancement de l’appel', 'Décrochez votre téléphone', 'Ça sonne chez +49 30 123456', 'En communication avec +49 30 123456', 'Appel terminé']],
	])('in %s says each status in order, and only what the server has told', async (language, expected) => {
		const page = await test.open('', { language })
		const told: string[] = []
		await page.route(/\/proxy\/sipcall\/call(?:-status\/.*)?$/, async (route) => {
			const answer = await route.fetch()
			told.push((await answer.json() as CallJson).status)
			await route.fulfill({ response: answer })
		})
		await page.exposeFunction('noteHeadline', (status: string | null, text: string) => {
			shown.push({ status, text, wasTold: status === null || told.includes(status) })
		})
		const shown: { status: string | null, text: string, wasTold: boolean }[] = []
		await page.evaluate(() => {
			const note = (globalThis as unknown as { noteHeadline: (status: string | null, text: string) => void }).noteHeadline
			new MutationObserver(() => {
				const shownCard = document.querySelector('[data-sip=card]')
				const text = shownCard?.querySelector('[data-sip=headline]')?.textContent?.trim()
				if (text !== undefined && text !== document.body.dataset.headline) {
					document.body.dataset.headline = text
					note(shownCard?.getAttribute('data-status') ?? null, text)
				}
			}).observe(document.body, { subtree: true, childList: true, characterData: true })
		})
		await dial(page, '030 123456')
		await test.pickUp(page, 'connected')
		test.app.freeSwitch.hangUp(test.leg('b'))
		await card(page, '[data-outcome=completed]').waitFor()
		const headlines = shown.map(({ text }) => text)
		const positions = expected.map((words) => headlines.findIndex((text) => text.startsWith(words)))
		expect(positions).not.toContain(-1)
		expect(positions).toEqual(positions.toSorted((a, b) => a - b))
		expect(shown.filter(({ wasTold }) => !wasTold)).toEqual([])
		await page.context().close()
	})

	it('keeps the newer of two answers that come out of order', async () => {
		const page = await test.open()
		await dial(page, '030 123456')
		await test.pickUp(page, 'ringing')
		const version = Number(await card(page).getAttribute('data-version'))
		const answers: (() => void)[] = []
		await page.route('**/call-status/*', async (route) => {
			const answer = await route.fetch()
			const call = await answer.json() as CallJson
			await route.fulfill({ response: answer, json: { ...call, version: version - 1, status: 'dialing' } })
			answers.shift()?.()
		})
		await new Promise<void>((resolve) => {
			answers.push(() => {}, resolve)
		})
		expect(await card(page).getAttribute('data-status')).toBe('ringing')
		await page.unroute('**/call-status/*')
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
		await page.context().close()
	})

	it('is back after a reload, with a timer that agrees with the server', async () => {
		const page = await test.open()
		await dial(page, '030 123456')
		await test.pickUp(page, 'connected')
		await page.reload()
		await card(page, '[data-status=connected]').waitFor()
		const { timer, now } = await page.evaluate(() => ({ timer: document.querySelector('[data-sip=timer]')?.textContent?.trim() ?? '', now: Date.now() }))
		const [{ answeredAt = '' } = {}] = (await test.demo.get<{ items: CallJson[] }>('/call-history?status=connected')).body.items
		const [minutes = 0, seconds = 0] = timer.split(':').map(Number)
		// Whole seconds, shown up to a quarter of a second late.
		expect(Math.abs((now - Date.parse(answeredAt)) / 1000 - (minutes * 60 + seconds))).toBeLessThan(2)
		expect(await page.title()).toMatch(/^Talking · SIPCall/)
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
		await page.context().close()
	})

	it('is the same in two tabs, each of which can hang up', async () => {
		const first = await test.open()
		const second = await test.open('', { beside: first })
		await field(second).waitFor()
		await dial(first, '030 123456')
		await card(second, '[data-status=calling_user]').waitFor()
		await test.pickUp(second, 'ringing')
		await card(first, '[data-status=ringing]').waitFor()
		await second.getByRole('button', { name: 'Hang up' }).click()
		await card(second, '[data-outcome=cancelled]').waitFor()
		await card(first, '[data-outcome=cancelled]').waitFor()
		await first.context().close()
	})

	it('is asked for by one tab only, however many show it', async () => {
		const first = await test.open()
		await first.context().clock.install()
		const second = await test.open('', { beside: first })
		await field(second).waitFor()
		await first.reload()
		await field(first).waitFor()
		await field(first).fill('030 123456')
		await first.keyboard.press('Enter')
		await card(first, '[data-status]').waitFor()
		await card(second, '[data-status]').waitFor()
		const uuid = (await test.demo.get<{ items: CallJson[] }>('/call-history?limit=1')).body.items[0]?.uuid ?? ''
		const polls = () => test.asked('GET', `/call-status/${uuid}`)
		const fakeNow = () => first.evaluate(() => Date.now())
		const [startedAt, before] = [await fakeNow(), polls().length]
		for (let step = 0; step < 10; step++) {
			await first.context().clock.runFor(1000)
			do {
				await Promise.all([first, second].map((tab) => tab.evaluate(async () => {
					await fetch('/csrftoken')
				})))
			} while (polls().some(({ status }) => status === 0))
		}
		const intervals = (await fakeNow() - startedAt) / 1000
		expect(polls().length - before).toBeLessThanOrEqual(1.2 * intervals + 1)
		expect(polls().length - before).toBeGreaterThan(0.5 * intervals)
		await test.demo.hangUp(uuid)
		await test.demo.untilEnded(uuid)
		await first.context().close()
	})

	it('says so, assertively, when hanging up takes long', async () => {
		const page = await test.open()
		await page.clock.install()
		await page.reload()
		await field(page).waitFor()
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await card(page, '[data-status]').waitFor()
		// The order is taken, but the legs live on.
		await page.route('**/call/*', async (route) => {
			const answer = await test.demo.get<CallJson>(`/call-status/${new URL(route.request().url()).pathname.split('/').at(-1)}`)
			await route.fulfill({ status: 202, json: answer.body })
		})
		await page.getByRole('button', { name: 'Cancel call' }).click()
		await card(page).getByText('Hanging up').waitFor()
		expect(await page.locator('[data-sip=alert]').innerText()).toBe('')
		await page.clock.runFor(6000)
		await card(page).getByText('This takes longer than usual.').waitFor()
		await page.locator('[data-sip=alert]').getByText('This takes longer than usual.').waitFor({ state: 'attached' })
		const { items } = (await test.demo.get<{ items: CallJson[] }>('/call-history?limit=1')).body
		await test.demo.hangUp(items[0]?.uuid ?? '')
		await test.demo.untilEnded(items[0]?.uuid ?? '')
		await page.context().close()
	})

	it('lets its details be copied without the number, and goes after a minute without taking the focus along', async () => {
		const page = await test.open('', { permissions: ['clipboard-read', 'clipboard-write'] })
		await page.clock.install()
		await page.reload()
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await page.getByRole('button', { name: 'Cancel call' }).click()
		await page.clock.runFor(3000)
		await card(page, '[data-outcome=cancelled]').waitFor()
		await page.getByRole('button', { name: 'Copy details' }).click()
		await page.getByRole('button', { name: 'Copied' }).waitFor()
		const copied = await page.evaluate(() => navigator.clipboard.readText())
		expect(copied).toMatch(/Call: [\da-f-]{36}/)
		expect(copied).not.toContain('123456')
		await page.clock.runFor(61_000)
		await card(page).waitFor({ state: 'detached' })
		expect(await page.evaluate(() => document.activeElement?.getAttribute('data-sip'))).toBe('field')
		await page.context().close()
	})
})
