// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What somebody does during a call: hold, keys, transfer, a note.

import type { Page } from 'playwright-core'
import type { CallJson, HistoryJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, startPageTest } from '../support/page-test.ts'

describe.skipIf(!browserAvailable())('during a call', () => {
	let test: PageTest
	beforeAll(async () => {
		test = await startPageTest({ hasHarp: true })
	})
	afterAll(() => test?.stop())
	// What a failed test leaves must not fail the next one.
	afterEach(async () => {
		const { body } = await test.demo.get<HistoryJson>('/call-history?status=queued,calling_user,dialing,ringing,connected')
		await Promise.all(body.items.map(async ({ uuid }) => {
			await test.demo.hangUp(uuid)
			await test.demo.untilEnded(uuid)
		}))
	})

	async function talk(page: Page): Promise<void> {
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await test.pickUp(page, 'connected')
	}

	async function hangUp(page: Page): Promise<void> {
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
	}

	const sent = (end: string) => test.shell.requests.filter(({ part, method, url }) => part === 'proxy' && method === 'POST' && url.endsWith(end))
	const newest = async () => (await test.demo.get<HistoryJson>('/call-history?limit=1')).body.items[0]
	const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('data-sip'))

	it('holds and resumes by button and by P, and shows what the server has told', async () => {
		const page = await test.open()
		await talk(page)
		await page.locator('[data-sip=hold]').click()
		await card(page).getByText('+49 30 123456 is on hold').waitFor()
		expect((await newest())?.onHold).toBe(true)
		await page.locator('[data-sip=announcement]').getByText('cannot hear you').waitFor({ state: 'attached' })
		expect(await page.locator('[data-sip=keypad-button]').count()).toBe(0)
		await card(page).locator('h2').focus()
		await page.keyboard.press('p')
		await card(page).getByText('Talking to +49 30 123456').waitFor()
		expect((await newest())?.onHold).toBe(false)
		await hangUp(page)
		await page.context().close()
	})

	it('sends keys by the keypad and by the keyboard, in order, and gives the focus back', async () => {
		const page = await test.open()
		await talk(page)
		const before = sent('/dtmf').length
		await card(page).locator('h2').focus()
		await page.keyboard.press('d')
		const keypad = page.locator('[data-sip=keypad]')
		await keypad.locator('[data-key="5"]').click()
		await page.waitForFunction(() => document.querySelector('[data-sip=keypad] output')?.textContent === '5')
		await page.keyboard.press('1')
		await page.keyboard.press('2')
		await page.keyboard.press('#')
		await keypad.getByText('512#').waitFor()
		await page.waitForFunction(() => document.querySelector('[data-sip=keypad] output')?.textContent === '512#')
		const digits = () => sent('/dtmf').slice(before).map(({ body }) => (JSON.parse(body) as { digits: string }).digits).join('')
		while (digits() !== '512#') {
			await page.evaluate(async () => {
				await fetch('/csrftoken')
			})
		}
		await page.keyboard.press('Escape')
		await keypad.waitFor({ state: 'hidden' })
		expect(await card(page, '[data-status=connected]').count()).toBe(1)
		// Hanging up is not kept from anybody by what is open.
		await page.keyboard.press('d')
		await keypad.waitFor()
		await hangUp(page)
		await page.context().close()
	})

	it('hands the other side over, to a number that may be called, and says who leaves', async () => {
		const page = await test.open()
		await talk(page)
		await page.locator('[data-sip=transfer]').click()
		expect(await focused(page)).toBe('transfer-to')
		await page.locator('[data-sip=transfer-to]').fill('+1 202 555 0123')
		await page.locator('[data-sip=transfer-form]').getByText('Calls to United States are not allowed.').waitFor()
		await page.keyboard.press('Enter')
		expect(sent('/transfer')).toEqual([])
		await page.keyboard.press('Escape')
		expect(await focused(page)).toBe('transfer')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=transfer-to]').fill('030 5550100')
		await page.locator('[data-sip=transfer-about]').getByText('You leave the call.').waitFor()
		expect(await page.locator('[data-sip=transfer-about]').innerText()).toMatch(/\+49 30 123456 is handed over to .*\+49 30 5550100/)
		await page.keyboard.press('Enter')
		await card(page, '[data-status=ended]').waitFor()
		await card(page).getByText('You transferred the call.').waitFor()
		expect(sent('/transfer').map(({ body }) => JSON.parse(body) as unknown)).toEqual([{ to: '030 5550100' }])
		test.app.freeSwitch.channels().forEach(({ uuid }) => test.app.freeSwitch.hangUp(uuid))
		await page.context().close()
	})

	it('says that the call has moved on when a command comes too late, and shows it as it is', async () => {
		const page = await test.open()
		await talk(page)
		await page.route('**/hold', (route) => route.fulfill({
			status: 409,
			contentType: 'application/problem+json',
			json: { type: 'urn:x', title: 'Not possible now', status: 409, detail: 'Gone.', code: 'wrong_state', requestId: 'r1' },
		}))
		const read = page.waitForRequest('**/call-status/*')
		await page.locator('[data-sip=hold]').click()
		await page.locator('[data-sip=control-fault]').getByText('The call has already moved on.').waitFor()
		await read
		await hangUp(page)
		await page.context().close()
	})

	it('keeps a note that is written during the call, also when the call ends and the page is loaded again', async () => {
		const page = await test.open()
		await talk(page)
		const { uuid } = await newest() as CallJson
		await page.locator('[data-sip=add-note]').click()
		expect(await focused(page)).toBe('note-text')
		await page.keyboard.type('Wants the offer p d')
		await page.locator('[data-sip=note-state]').getByText('Saved').waitFor()
		expect((await newest())?.note).toBe('Wants the offer p d')

		// From here on nothing is saved: the note is known to this tab alone.
		await page.route(`**/proxy/sipcall/call/${uuid}`, (route) => route.request().method() === 'PUT' ? route.abort('connectionreset') : route.continue())
		await page.keyboard.type(' by Friday')
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
		await page.getByText('Could not save the note.').waitFor()
		expect(await page.locator('[data-sip=note-text]').inputValue()).toBe('Wants the offer p d by Friday')
		await page.unroute(`**/proxy/sipcall/call/${uuid}`)
		const saved = page.waitForResponse((answer) => answer.request().method() === 'PUT')
		await page.reload()
		await saved
		expect((await newest())?.note).toBe('Wants the offer p d by Friday')
		expect(await page.evaluate(() => sessionStorage.length)).toBe(0)
		await page.context().close()
	})

	it('takes tags, shows them at once, and takes one back that the server refuses', async () => {
		const page = await test.open()
		await talk(page)
		await page.locator('[data-sip=add-note]').click()
		await page.locator('[data-sip=new-tag]').fill('sales')
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=tag]').getByText('sales').waitFor()
		while ((await newest())?.tags.length === 0) {
			// The server stores it.
		}
		await page.route('**/proxy/sipcall/call/*', (route) => route.request().method() === 'PUT' ? route.fulfill({ status: 500, contentType: 'text/html', body: '' }) : route.continue())
		await page.locator('[data-sip=new-tag]').fill('later')
		await page.keyboard.press('Enter')
		await page.getByText('Could not save the tags.').waitFor()
		expect(await page.locator('[data-sip=tag]').allInnerTexts()).toEqual(['sales'])
		await page.unroute('**/proxy/sipcall/call/*')
		await page.getByRole('button', { name: 'Remove sales' }).click()
		await page.locator('[data-sip=tag]').waitFor({ state: 'detached' })
		await hangUp(page)
		await page.context().close()
	})

	it('keeps the card of an ended call while somebody writes beside it', async () => {
		const page = await test.open()
		await page.clock.install()
		await page.reload()
		await talk2(page)
		await page.locator('[data-sip=add-note]').click()
		await page.keyboard.press('Shift+Escape')
		await page.clock.runFor(3000)
		await card(page, '[data-status=ended]').waitFor()
		expect(await focused(page)).toBe('note-text')
		await page.clock.runFor(120_000)
		expect(await card(page).count()).toBe(1)
		await field(page).focus()
		await page.clock.runFor(61_000)
		await card(page).waitFor({ state: 'detached' })
		await page.context().close()
	})

	/** As {@link talk}, on a page whose time the test moves. */
	async function talk2(page: Page): Promise<void> {
		await field(page).fill('030 123456')
		await page.keyboard.press('Enter')
		await card(page, '[data-status]').waitFor()
		const uuid = (await newest())?.uuid ?? ''
		await test.demo.until(uuid, ({ status }) => status === 'calling_user')
		test.app.freeSwitch.answer(test.leg('a'))
		await test.demo.until(uuid, ({ status }) => status === 'ringing')
		test.app.freeSwitch.answer(test.leg('b'))
		await test.demo.until(uuid, ({ status }) => status === 'connected')
		await page.clock.runFor(3000)
		await card(page, '[data-status=connected]').waitFor()
	}
})
