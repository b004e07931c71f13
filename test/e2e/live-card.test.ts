// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A call on the page, from one tab or two.

import type { Page } from 'playwright-core'
import type { CallJson, HistoryJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('the card', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({ settings: { callerIds: [{ number: '+49309876543', label: 'Office' }] } })
	})
	afterAll(() => test?.stop())
	// What a failed test leaves must not fail the next one.
	afterEach(async () => {
		for (const user of ['demo', 'guest']) {
			const { body } = await test.app.as(user).get<HistoryJson>('/call-history?status=queued,calling_user,dialing,ringing,connected')
			await Promise.all(body.items.map(async ({ uuid }) => {
				await test.app.as(user).hangUp(uuid)
				await test.app.as(user).untilEnded(uuid)
			}))
		}
	})

	async function dial(page: Page, to: string): Promise<void> {
		await field(page).fill(to)
		await page.keyboard.press('Enter')
		await card(page, '[data-status=calling_user]').waitFor()
	}

	/** Notes what the card says, headline and second line, from now on. */
	async function noteWords(page: Page): Promise<void> {
		await page.evaluate(() => {
			const said: string[][] = []
			Object.assign(globalThis, { said })
			const read = (selector: string) => document.querySelector(`[data-sip=card] ${selector}`)?.textContent?.trim() ?? ''
			new MutationObserver(() => {
				const words = [read('[data-sip=headline]'), read('.card__detail')]
				if (words[0] !== '' && words.join() !== said.at(-1)?.join()) {
					said.push(words)
				}
			}).observe(document.body, { subtree: true, childList: true, characterData: true })
		})
	}

	const saidBy = (page: Page) => page.evaluate(() => (globalThis as unknown as { said: string[][] }).said)

	it.each([
		['en', [
			['Starting the call …', 'Your phone “Desk” will ring first.'],
			['Pick up your phone', '“Desk” is ringing. +49 30 123406 is called when you answer.'],
			['Dialling +49 30 123406 …', 'You are connected. Stay on the line.'],
			['Ringing at +49 30 123406 …', 'Calling from +49309876543'],
			['Talking to +49 30 123406', '+49 30 123406 · Desk'],
			['Call ended · # s', '+49 30 123406 hung up.'],
		]],
		['de', [
			['Der Anruf wird gestartet …', 'Zuerst klingelt das eigene Telefon „Desk“.'],
			['Bitte das Telefon abnehmen', '„Desk“ klingelt. +49 30 123406 wird nach dem Abnehmen angerufen.'],
			['+49 30 123406 wird gewählt …', 'Die Verbindung steht. Bitte am Apparat bleiben.'],
			['Es klingelt bei +49 30 123406 …', 'Angezeigte Nummer: +49309876543'],
			['Im Gespräch mit +49 30 123406', '+49 30 123406 · Desk'],
			['Anruf beendet · # Sek.', '+49 30 123406 hat aufgelegt.'],
		]],
		['fr', [
			['Lancement de l’appel …', 'Votre téléphone « Desk » sonnera d’abord.'],
			['Décrochez votre téléphone', '« Desk » sonne. +49 30 123406 sera appelé dès que vous répondrez.'],
			['Composition de +49 30 123406 …', 'Vous êtes en ligne. Restez à l’écoute.'],
			['Ça sonne chez +49 30 123406 …', 'Appel depuis +49309876543'],
			['En communication avec +49 30 123406', '+49 30 123406 · Desk'],
			['Appel terminé · # s', '+49 30 123406 a raccroché.'],
		]],
	])('in %s says each status in order, in two lines, and none before it is so', async (language, expected) => {
		const page = await test.open('', { language })
		await field(page).waitFor()
		await noteWords(page)
		const { freeSwitch } = test.app
		/** The next step of the phones comes only after this look: what is said too early is seen here. */
		const look = async (status: string, steps: number) => {
			await card(page, `[data-status=${status}]`).waitFor()
			expect((await saidBy(page)).map((words) => words.map((text) => text.replace(/· \d+ /, '· # ')))).toEqual(expected.slice(0, steps))
		}
		// The gateway of this number is silent until it is told to ring.
		await dial(page, '030 123406')
		await look('calling_user', 2)
		freeSwitch.answer(test.leg('a'))
		await look('dialing', 3)
		freeSwitch.ring(test.leg('b'))
		await look('ringing', 4)
		freeSwitch.answer(test.leg('b'))
		await look('connected', 5)
		freeSwitch.hangUp(test.leg('b'))
		await look('ended', 6)
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
		// It comes with the first answers: it need not be asked for.
		await page.route('**/call-status/*', () => new Promise(() => {}))
		await page.reload()
		await card(page, '[data-status=connected]').waitFor()
		await page.unroute('**/call-status/*')
		const [{ answeredAt = '' } = {}] = (await test.demo.get<{ items: CallJson[] }>('/call-history?status=connected')).body.items
		// Looked at when a second has just been put up, so that no slow machine makes it older than it is.
		const [shown = Infinity, real = 0] = await page.evaluate((start) => new Promise<number[]>((resolve) => {
			const timer = document.querySelector('[data-sip=timer]')
			const observer = new MutationObserver(() => {
				const [minutes = 0, seconds = 0] = (timer?.textContent ?? '').split(':').map(Number)
				observer.disconnect()
				resolve([minutes * 60 + seconds, (Date.now() - start) / 1000])
			})
			observer.observe(timer ?? document.body, { subtree: true, childList: true, characterData: true })
		}), Date.parse(answeredAt))
		expect(Math.abs(real - shown)).toBeLessThan(1)
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
		// From here on this tab learns nothing but what the other one tells it.
		await first.route('**/proxy/sipcall/**', () => new Promise(() => {}))
		let release = () => {}
		const held = new Promise<void>((resolve) => {
			release = resolve
		})
		await second.route('**/proxy/sipcall/call/*', async (route) => {
			await held
			await route.continue()
		})
		await second.getByRole('button', { name: 'Hang up' }).click()
		await Promise.all([first, second].map((tab) => card(tab).getByText('Hanging up …').waitFor()))
		release()
		await Promise.all([first, second].map((tab) => card(tab, '[data-outcome=cancelled]').waitFor()))
		await first.context().close()
	})

	it('shows in both tabs that one has hung up, and the end within two seconds, by at most 1.2 questions a second', async () => {
		const first = await test.open('/nowhere')
		const { clock } = first.context()
		await clock.install()
		const second = await test.open('', { beside: first })
		await first.goto(second.url())
		await Promise.all([first, second].map((tab) => field(tab).waitFor()))
		await clock.pauseAt(await first.evaluate(() => Date.now()) + 60_000)
		await field(first).fill('030 123456')
		await first.keyboard.press('Enter')
		await Promise.all([first, second].map((tab) => card(tab, '[data-status]').waitFor()))
		const [{ uuid = '' } = {}] = (await test.demo.get<HistoryJson>('/call-history?limit=1')).body.items
		await test.demo.until(uuid, ({ status }) => status === 'calling_user')
		await second.getByRole('button', { name: 'Cancel call' }).click()
		await Promise.all([first, second].map((tab) => card(tab).getByText('Hanging up …').waitFor()))
		await test.demo.untilEnded(uuid)
		const polls = () => test.asked('GET', `/call-status/${uuid}`)
		const before = polls().length
		for (let step = 0; step < 2; step++) {
			await clock.runFor(1000)
			do {
				await first.evaluate(async () => {
					await fetch('/csrftoken')
				})
			} while (polls().some(({ status }) => status === 0))
		}
		await Promise.all([first, second].map((tab) => card(tab, '[data-outcome=cancelled]').waitFor()))
		expect(polls().length - before).toBeGreaterThan(0)
		expect(polls().length - before).toBeLessThanOrEqual(1.2 * 2)
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
		await page.clock.pauseAt(await page.evaluate(() => Date.now()) + 60_000)
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
		await page.clock.runFor(4900)
		expect(await card(page).innerText()).not.toContain('This takes longer than usual.')
		expect(await page.locator('[data-sip=alert]').innerText()).toBe('')
		await page.clock.runFor(500)
		await card(page).getByText('This takes longer than usual.').waitFor()
		await page.locator('[data-sip=alert]').getByText('This takes longer than usual.').waitFor({ state: 'attached' })
		const { items } = (await test.demo.get<{ items: CallJson[] }>('/call-history?limit=1')).body
		await test.demo.hangUp(items[0]?.uuid ?? '')
		await test.demo.untilEnded(items[0]?.uuid ?? '')
		await page.context().close()
	})

	it.each(['calling_user', 'connected'] as const)('says, assertively, that an administrator has ended it (%s)', async (status) => {
		await test.app.as('guest').request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1001' }] })
		const page = await test.open('', { user: 'guest' })
		await dial(page, '030 123456')
		if (status === 'connected') {
			await test.pickUp(page, status)
		}
		const [{ uuid = '' } = {}] = (await test.app.as('guest').get<HistoryJson>('/call-history?limit=1')).body.items
		expect((await test.demo.request('DELETE', `/admin/call/${uuid}`)).status).toBe(202)
		await card(page, '[data-status=ended]').getByText('An administrator ended this call.').waitFor()
		await page.locator('[data-sip=alert]').getByText('An administrator ended this call.').waitFor({ state: 'attached' })
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

describe.skipIf(!browserAvailable())('the longest call', () => {
	let test: PageTest
	beforeAll(async () => {
		// A minute of the switch is over in less than a second.
		test = await startPageTest({ freeSwitch: { speed: 100, pace: {} }, settings: { maxCallSec: 60 } })
	})
	afterAll(() => test?.stop())

	it('ends by the rule, and the card says so, assertively', async () => {
		const page = await test.open()
		// The scripted minute is a few seconds longer on a busy machine, and then no number of minutes is told.
		const words = /The longest allowed call (?:is 1 minute|length was reached)\./
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await card(page, '[data-outcome=completed]').getByText(words).waitFor()
		await page.locator('[data-sip=alert]').getByText(words).waitFor({ state: 'attached' })
		await page.context().close()
	})
})
