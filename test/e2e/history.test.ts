// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The list of calls, the addresses of the page, and a call's details.

import type { Page } from 'playwright-core'
import type { CallJson, HistoryJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { card, field, hasNumberTools, PAGE, startPageTest } from '../support/page-test.ts'

const rows = (page: Page) => page.locator('[data-sip=row]')

describe.skipIf(!browserAvailable())('the list of calls', () => {
	let test: PageTest
	let busy: CallJson

	beforeAll(async () => {
		test = await startPageTest({ hasHarp: true })
		await test.makeCall('+49305550100', 'answered')
		busy = await test.makeCall('+4930123417', 'busy')
		await test.makeCall('+49301234', 'cancelled')
	})
	afterAll(() => test?.stop())

	it('shows what the filter asks for, and keeps the choice', async () => {
		const page = await test.open()
		await rows(page).nth(2).waitFor()
		await page.locator('[data-filter=answered]').click()
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 1)
		expect(await rows(page).first().getAttribute('data-outcome')).toBe('completed')
		await page.reload()
		await rows(page).first().waitFor()
		expect(await rows(page).count()).toBe(1)
		await page.locator('[data-filter=not_reached]').click()
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 2)
		await page.getByRole('link', { name: 'Missed' }).click()
		await page.getByText('No missed calls').waitFor()
		expect(new URL(page.url()).pathname).toBe(`${PAGE}/missed`)
		await page.goBack()
		await rows(page).nth(1).waitFor()
		await page.context().close()
	})

	it('finds calls by a contact’s name and by digits', async () => {
		const page = await test.open()
		await rows(page).nth(2).waitFor()
		await field(page).fill('Erika')
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 1)
		expect(await rows(page).first().innerText()).toMatch(/Erika Beispiel[^]*\+49 30 5550100 · Answered/)
		await field(page).fill('030 1234')
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 2)
		await page.context().close()
	})

	it('opens details with the timeline, the focus in them, and gives it back to the row', async () => {
		const page = await test.open()
		await rows(page).nth(2).waitFor()
		await field(page).focus()
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('ArrowDown')
		await page.keyboard.press('Enter')
		const details = page.locator('[data-sip=details]')
		await details.locator('[data-sip=timeline] li').nth(5).waitFor()
		expect(new URL(page.url()).pathname).toBe(`${PAGE}/call/${busy.uuid}`)
		await page.waitForFunction(() => (document.activeElement?.closest('#app-sidebar-vue') ?? null) !== null)
		const text = await details.innerText()
		expect(text).toContain('+49 30 123417 is busy')
		expect(text).toMatch(/Call started[^]*“Desk” rings[^]*You picked up[^]*Rings at \+49 30 123417[^]*USER_BUSY · Q\.850 17 \/ SIP 486[^]*Call ended/)
		await page.keyboard.press('Escape')
		await details.waitFor({ state: 'detached' })
		await page.waitForFunction(() => document.activeElement?.hasAttribute('data-row') === true)
		expect(new URL(page.url()).pathname).toBe(PAGE)
		await page.context().close()
	})

	it('opens a call by its address, also in a subfolder and without rewriting', async () => {
		const page = await test.open(`/call/${busy.uuid}`)
		await page.locator('[data-sip=timeline]').waitFor()
		await page.locator('[data-sip=details-call]').click()
		await card(page, '[data-status=calling_user]').waitFor()
		await page.keyboard.press('Shift+Escape')
		await card(page, '[data-status=ended]').waitFor()
		await page.context().close()

		// A stream cannot be passed on piece by piece.
		test.shell.hasHarp = false
		const sub = await test.open('/nowhere')
		await sub.route((url) => url.pathname.startsWith('/cloud/'), async (route) => {
			const url = route.request().url().replace('/cloud/', '/')
			const answer = await route.fetch({ url })
			const isPage = answer.headers()['content-type']?.startsWith('text/html') === true
			const body = isPage ? (await answer.text()).replace('_oc_webroot=""', '_oc_webroot="/cloud"').replaceAll('"/index.php/', '"/cloud/index.php/').replaceAll('"/core/', '"/cloud/core/') : await answer.body()
			await route.fulfill({ response: answer, body })
		})
		const outside: string[] = []
		sub.on('request', (request) => {
			const { pathname } = new URL(request.url())
			if (!pathname.startsWith('/cloud/')) {
				outside.push(pathname)
			}
		})
		await sub.goto(`${test.shell.url}/cloud${PAGE}/call/${busy.uuid}`)
		await sub.locator('[data-sip=timeline]').waitFor()
		await sub.getByRole('link', { name: 'Missed' }).click()
		expect(new URL(sub.url()).pathname).toBe(`/cloud${PAGE}/missed`)
		await field(sub).focus()
		await sub.waitForFunction(hasNumberTools)
		expect(outside).toEqual([])
		await sub.context().close()
	})

	it.each(['/nowhere', '/admin/none', '/call/12'])('says of %s that it does not exist, and asks the server for nothing', async (path) => {
		const before = test.shell.requests.filter(({ part }) => part === 'proxy').length
		const page = await test.open(path, { user: 'guest' })
		await page.getByRole('heading', { name: 'This page does not exist.' }).first().waitFor()
		expect(await page.getByText('Administration').count()).toBe(0)
		expect(test.shell.requests.filter(({ part }) => part === 'proxy').length).toBe(before)
		await page.getByRole('link', { name: 'Go to calls' }).click()
		await page.waitForFunction(() => performance.getEntriesByName('sipcall:rows').length > 0)
		expect(new URL(page.url()).pathname).toBe(PAGE)
		await page.context().close()
	})

	it('draws at most 60 rows of 10 000, and never loses the focus', async () => {
		const page = await test.open('/nowhere')
		await page.route('**/call-history*', (route) => {
			const query = new URL(route.request().url()).searchParams
			const from = Number(query.get('cursor') ?? 0)
			const limit = Number(query.get('limit'))
			const items = Array.from({ length: Math.min(limit, 10_000 - from) }, (_item, at): CallJson => ({
				...busy,
				uuid: `00000000-0000-4000-8000-${String(from + at).padStart(12, '0')}`,
				createdAt: new Date(Date.UTC(2026, 10, 24) - (from + at) * 1_200_000).toISOString(),
			}))
			const answer: HistoryJson = { items, nextCursor: from + limit < 10_000 ? String(from + limit) : null }
			return route.fulfill({ json: answer })
		})
		await page.getByRole('link', { name: 'Go to calls' }).click()
		await rows(page).first().waitFor()
		await page.evaluate(() => {
			let most = 0
			new MutationObserver(() => {
				const drawn = document.querySelectorAll('[data-sip=row]').length
				// Up to 200 rows all are drawn.
				most = document.querySelector('[data-sip=row][aria-posinset]') === null ? most : Math.max(most, drawn)
				document.body.dataset.most = String(most)
			}).observe(document.body, { subtree: true, childList: true })
		})
		await rows(page).nth(3).locator('[data-row]').focus()
		const focused = await page.evaluate(() => document.activeElement?.closest('[data-at]')?.getAttribute('data-at'))
		await page.evaluate(() => new Promise<void>((resolve) => {
			const scroller = document.querySelector('#app-content-vue')
			const step = () => {
				scroller?.scrollBy(0, 5000)
				const last = [...document.querySelectorAll('[data-sip=row]')].at(-2)?.getAttribute('aria-posinset')
				if (Number(last) > 9990) {
					resolve()
				} else {
					requestAnimationFrame(step)
				}
			}
			step()
		}))
		expect(Number(await page.evaluate(() => document.body.dataset.most))).toBeLessThanOrEqual(60)
		expect(await page.evaluate(() => document.activeElement?.closest('[data-at]')?.getAttribute('data-at'))).toBe(focused)
		await page.keyboard.press('End')
		await page.waitForFunction(() => document.activeElement?.closest('[data-sip=row]')?.getAttribute('aria-posinset') === '10000')
		expect(await rows(page).last().getAttribute('aria-setsize')).toBe('10000')
		await page.context().close()
	})

	it('is narrowed by tag and date, and given as a file', async () => {
		await test.demo.request('PUT', `/call/${busy.uuid}`, { tags: ['Sales'] })
		const page = await test.open()
		await rows(page).nth(2).waitFor()
		await page.locator('[data-filter=more]').click()
		await page.locator('[data-sip=tag-filter]').fill('sales')
		await page.keyboard.press('Enter')
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 1)
		expect(await rows(page).first().getAttribute('data-outcome')).toBe('busy')
		const downloading = page.waitForEvent('download')
		await page.locator('[data-filter=csv]').click()
		const download = await downloading
		expect(download.suggestedFilename()).toBe('calls.csv')
		const lines = (await readFile(await download.path(), 'utf8')).trim().split('\r\n')
		expect(lines.length).toBe(2)
		expect(lines[1]).toContain(busy.uuid)
		await page.locator('[data-sip=tag-filter]').fill('')
		await page.locator('[data-sip=to]').fill('2020-01-31')
		await page.locator('[data-sip=to]').dispatchEvent('change')
		await page.waitForFunction(() => document.querySelectorAll('[data-sip=row]').length === 0)
		await page.locator('[data-filter=more]').click()
		await rows(page).nth(2).waitFor()
		await page.context().close()
	})

	it('leads a number that has no name to Contacts, copied', async () => {
		const page = await test.open(`/call/${busy.uuid}`, { permissions: ['clipboard-read', 'clipboard-write'] })
		const add = page.locator('[data-sip=add-contact]')
		await add.waitFor()
		expect(await add.getAttribute('href')).toBe('/index.php/apps/contacts/')
		const opened = page.waitForEvent('popup')
		await add.click()
		await (await opened).close()
		expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('+4930123417')
		await page.context().close()
	})

	it('shows all calls with the number of one, and takes a note beside it', async () => {
		const page = await test.open(`/call/${busy.uuid}`)
		const details = page.locator('[data-sip=details]')
		await details.locator('[data-sip=same-number]').click()
		await page.locator('[data-sip=number-filter]').getByText('+49 30 123417').waitFor()
		await page.waitForFunction(() => {
			const shown = [...document.querySelectorAll('[data-sip=row]')]
			return shown.length > 0 && shown.every((row) => row.textContent.includes('+49 30 123417'))
		})
		expect(page.url()).not.toContain('123417')
		await details.getByRole('tab', { name: 'Note' }).click()
		await details.locator('[data-sip=note-text]').fill('Call back tomorrow')
		await page.keyboard.press('Tab')
		await details.locator('[data-sip=note-state]').getByText('Saved').waitFor()
		expect((await test.demo.get<CallJson>(`/call-status/${busy.uuid}`)).body.note).toBe('Call back tomorrow')
		await page.context().close()
	})

	it('says of a call that its number cannot be read, and offers nothing that would need it', async () => {
		const call = await test.makeCall('+4930123421', 'busy')
		await test.app.database.query(`update calls set to_number = 'damaged' where uuid = '${call.uuid}'`)
		const page = await test.open(`/call/${call.uuid}`)
		const details = page.locator('[data-sip=details]')
		await details.locator('[data-sip=unreadable]').waitFor()
		await details.getByRole('heading', { name: 'Number cannot be read' }).waitFor()
		expect(await details.locator('[data-sip=timeline] li').count()).toBeGreaterThan(5)
		await rows(page).getByText('Number cannot be read').waitFor()
		for (const gone of ['details-call', 'same-number', 'erase-number', 'add-contact']) {
			expect(await page.locator(`[data-sip=${gone}]`).count()).toBe(0)
		}
		expect(await page.getByRole('button', { name: /^Call Number cannot/ }).count()).toBe(0)
		expect(await page.getByRole('button', { name: /^Call .*123417/ }).count()).toBeGreaterThan(0)
		await page.context().close()
	})
})
