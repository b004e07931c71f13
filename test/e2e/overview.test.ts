// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The administration's overview, against the real sidecar: what it shows is what was called.

import type { Page } from 'playwright-core'
import type { MetricsJson } from '../../lib/http/routes/metrics.ts'
import type { CallJson } from '../../lib/http/schemas.ts'
import type { PageTest } from '../support/page-test.ts'

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { copyCalls } from '../support/copy-calls.ts'
import { startPageTest } from '../support/page-test.ts'
import { keysOf } from '../support/stored-text.ts'

const DAY_MS = 24 * 60 * 60 * 1000

interface Drawn { labels: string[], datasets: { label: string, data: (number | null)[], borderColor: string }[] }

describe.skipIf(!browserAvailable())('the overview', () => {
	let test: PageTest
	let page: Page
	let calls: CallJson[]

	beforeAll(async () => {
		test = await startPageTest({ overrides: { health: { freshMs: 0 } }, settings: { timeZone: 'UTC', rates: [{ prefix: '+49', perMinute: { micros: '60000', currency: 'EUR' }, perCall: { micros: '1250000', currency: 'EUR' } }] } })
		calls = [
			await test.makeCall('+49305550100', 'answered'),
			await test.makeCall('+49305550100', 'answered'),
			await test.makeCall('+4930123417', 'busy'),
			await test.makeCall('+4930123418', 'cancelled'),
		]
		// One of three weeks ago, by somebody else, in another currency.
		await copyCalls(test.app.database.url, keysOf(test.app.environment), { uuid: calls[0]?.uuid ?? '', rows: 1, set: { user_id: '\'guest\'', created_at: 'call.created_at - interval \'20 days\'', currency: '\'GBP\'', cost_micros: '2500000', talk_ms: '600000' } })
		page = await test.open('/admin/overview', { ownClock: true })
		await page.locator('[data-chart=calls] canvas').waitFor()
	})
	afterAll(() => test?.stop())

	const tile = (name: string) => page.locator(`[data-tile=${name}]`).innerText()
	const figure = (name: string) => page.locator(`[data-chart="${name}"]`)
	const metrics = async (query = '') => (await test.demo.get<MetricsJson>(`/admin/metrics?${query}`)).body
	const asked = () => test.asked('GET', '/admin/metrics')

	/** What Chart.js itself says that it draws. */
	const drawn = (name: string) => figure(name).locator('canvas').evaluate((canvas) => {
		const { charts } = (globalThis as unknown as { sipcallScripts: { charts: { Chart: { getChart: (canvas: unknown) => { data: Drawn } } } } }).sipcallScripts
		const { labels, datasets } = charts.Chart.getChart(canvas).data
		return { labels: [...labels], datasets: datasets.map(({ label, data, borderColor }) => ({ label, data: [...data], borderColor })) }
	})
	const cells = (name: string) => figure(name).locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent?.trim() ?? '')))

	/** The page asks again by itself. */
	const later = () => page.clock.fastForward(15_000)

	async function choose(kind: string): Promise<void> {
		const answered = page.waitForResponse((response) => response.url().includes('/admin/metrics') && response.ok())
		await page.locator('[data-sip=range] select').selectOption(kind)
		await answered
	}

	it('is the first page of the administration, and shows as figures what was called', async () => {
		expect(await page.locator('[data-admin]').first().getAttribute('data-admin')).toBe('overview')
		const talkSec = calls.reduce((sum, call) => sum + (call.talkSec ?? 0), 0)
		expect(await tile('calls')).toContain('4')
		// The cancelled one was never dialled: its user did not pick up.
		expect(await tile('answered')).toContain('67%')
		expect(await tile('answered')).toContain('2 of 3 dialled')
		expect(await tile('talk')).toMatch(new RegExp(`${Math.floor(talkSec / 60) % 60 > 0 ? 'min' : 's'}`))
		expect(await tile('cost')).toMatch(/€2\.5\d/)
		expect(await tile('live')).toContain('0')
		expect(await figure('calls').locator('[data-sip=finding]').innerText()).toBe('4 calls, 67% answered')
		expect(await figure('calls').locator('canvas').getAttribute('role')).toBe('img')
		expect(await figure('calls').locator('canvas').getAttribute('aria-label')).toBe('Calls by day: 4 calls, 67% answered')
	})

	it('draws what its tables and the API have', async () => {
		const { perDay } = await metrics()
		for (const name of ['calls', 'talk-time', 'cost-EUR', 'answer-rate']) {
			await figure(name).getByRole('button', { name: 'Show as table' }).click()
			expect(await figure(name).getByRole('button', { name: 'Show as table' }).getAttribute('aria-expanded')).toBe('true')
		}
		const byOutcome = perDay.map(({ outcomes: { completed, busy, no_answer: noAnswer, rejected, cancelled, failed, blocked } }) => [completed, busy + noAnswer + rejected, cancelled, failed, blocked])
		expect(byOutcome.at(-1)).toEqual([2, 1, 1, 0, 0])
		expect(await cells('calls')).toEqual(byOutcome.map((counts) => counts.map(String)))
		const chart = await drawn('calls')
		expect(chart.datasets.map(({ label }) => label)).toEqual(['Answered', 'Not reached', 'Cancelled', 'Failed', 'Not allowed'])
		expect(chart.datasets.map(({ data }) => data)).toEqual([0, 1, 2, 3, 4].map((at) => byOutcome.map((counts) => counts[at])))
		expect(chart.labels).toHaveLength(7)
		expect((await drawn('talk-time')).datasets[0]?.data).toEqual(perDay.map(({ talkSec }) => talkSec / 60))
		expect((await cells('talk-time')).at(-1)).toEqual([`${perDay.at(-1)?.talkSec} s`])
		expect((await drawn('cost-EUR')).datasets.map(({ data }) => data)).toEqual([perDay.map(({ cost }) => Number(cost[0]?.micros ?? 0) / 1e6), perDay.map(() => 0)])
		// Three dialled calls are too few for a mean: a gap.
		expect((await drawn('answer-rate')).datasets[0]?.data).toEqual(perDay.map(() => null))
		expect((await cells('answer-rate')).at(-1)).toEqual(['Too few calls'])
	})

	it('gives the numbers of a chart as a file', async () => {
		const [download] = await Promise.all([page.waitForEvent('download'), figure('cost-EUR').locator('[data-sip=chart-csv]').click()])
		const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n')
		const { perDay } = await metrics()
		expect(lines[0]).toBe('day,Spent,"Pending, at most"')
		expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(perDay.map(({ day }) => day))
		const spent = lines.at(-1)?.split(',')[1] ?? ''
		expect(spent).toMatch(/^\d+\.\d{2,6}$/)
		expect(Number(spent) * 1e6).toBeCloseTo(Number(perDay.at(-1)?.cost[0]?.micros), 3)
		expect(download.suggestedFilename()).toMatch(/^sipcall-cost-EUR-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d\.csv$/)
	})

	it('shows other days, each currency in a chart of its own, and nothing where nobody called', async () => {
		await choose('30')
		await figure('cost-GBP').waitFor()
		expect(await tile('calls')).toContain('5')
		expect(await tile('cost')).toMatch(/€2\.5\d+\s+£2\.50/)
		const day = (ago: number) => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10)
		const query = new URL(asked().at(-1)?.url ?? '', 'http://cloud.invalid').searchParams
		expect([query.get('from'), query.get('to')]).toEqual([day(29), day(0)])
		expect((await drawn('calls')).labels).toHaveLength(30)

		await choose('own')
		await page.locator('[data-sip=range-from]').fill('2020-02-28')
		await page.locator('[data-sip=range-to]').fill('2020-03-01')
		await page.locator('[data-sip=range-to]').blur()
		await page.locator('[data-sip=no-calls]').waitFor()
		expect(await page.locator('[data-sip=no-calls]').innerText()).toBe('No calls in this time.')
		expect(await page.locator('canvas').count()).toBe(0)
		expect(await page.locator('[data-sip=overview] > [role=status]').innerText()).toBe('No calls in this time.')
		const before = asked().length
		await page.locator('[data-sip=range-to]').fill('2020-02-27')
		await page.locator('[data-sip=range-to]').blur()
		await page.getByText('The first day is after the last one.').waitFor()
		await page.locator('[data-sip=range-to]').fill('2021-02-28')
		await page.locator('[data-sip=range-to]').blur()
		await page.getByText('At most 366 days at once.').waitFor()
		expect(asked().slice(before).filter(({ url }) => url.includes('2021') || url.includes('02-27'))).toEqual([])
		await choose('7')
		await figure('calls').waitFor()
	})

	it('follows the theme, and needs no reload for it', async () => {
		const light = await drawn('calls')
		await page.emulateMedia({ colorScheme: 'dark' })
		await page.waitForFunction((before) => {
			const { charts } = (globalThis as unknown as { sipcallScripts: { charts: { Chart: { getChart: (canvas: unknown) => { data: Drawn } } } } }).sipcallScripts
			return charts.Chart.getChart(document.querySelector('[data-chart=calls] canvas')).data.datasets[0]?.borderColor !== before
		}, light.datasets[0]?.borderColor)
		expect((await drawn('calls')).datasets.map(({ data }) => data)).toEqual(light.datasets.map(({ data }) => data))
		await page.emulateMedia({ colorScheme: 'light' })
	})

	it('names people only once that is confirmed and written to the audit log, and takes it back', async () => {
		const users = page.locator('[data-sip=user-figures]')
		const row = users.locator('tbody tr').first()
		expect(await row.locator('th').innerText()).toMatch(/^user [0-9a-f]{4}$/)
		expect(await row.locator('td').allInnerTexts()).toEqual(['4', '2', expect.any(String), expect.stringMatching(/^€2\.5/)])
		await users.getByRole('button', { name: 'Show names' }).click()
		await page.getByText('This is written to the audit log.').waitFor()
		await page.getByRole('button', { name: 'Cancel' }).click()
		expect((await metrics()).statistics).toBe('pseudonymous')
		await users.getByRole('button', { name: 'Show names' }).click()
		await page.locator('[data-sip=confirm-action]').click()
		await users.getByText('Demo user').waitFor()
		expect((await test.demo.get<{ items: object[] }>('/admin/audit-log?action=settings.changed&limit=1')).body.items).toMatchObject([{ actor: { id: 'demo' }, detail: { changes: [{ key: 'statistics', new: 'named' }] } }])
		await users.getByRole('button', { name: 'Hide names' }).click()
		await users.getByText('Demo user').waitFor({ state: 'detached' })
		expect((await metrics()).statistics).toBe('pseudonymous')
	})

	it('shows a call that goes on without a number, by itself, and ends it once that is confirmed, by keyboard alone', async () => {
		const { body } = await test.demo.call('+49305550100')
		const live = page.locator(`[data-live="${body.uuid}"]`)
		await test.demo.until(body.uuid, ({ status }) => status === 'calling_user')
		await later()
		await live.waitFor()
		expect(await live.innerText()).toMatch(/user [0-9a-f]{4}\s+Germany · The user’s phone rings\s+\d\d:\d\d/)
		test.app.freeSwitch.answer(test.leg('a'))
		await test.demo.until(body.uuid, ({ status }) => status === 'ringing')
		test.app.freeSwitch.answer(test.leg('b'))
		await test.demo.until(body.uuid, ({ status }) => status === 'connected')
		await later()
		await page.locator(`[data-live="${body.uuid}"][data-status=connected]`).waitFor()
		expect(await tile('live')).toContain('1')
		expect(await page.locator('[data-sip=overview]').innerText()).not.toMatch(/555 ?0100/)
		await live.getByRole('button').focus()
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=confirm-dialog]').waitFor()
		await page.keyboard.press('Escape')
		await page.locator('[data-sip=confirm-dialog]').waitFor({ state: 'detached' })
		expect(test.asked('DELETE', `/admin/call/${body.uuid}`)).toEqual([])
		await page.waitForFunction((uuid) => document.activeElement?.closest('[data-live]')?.getAttribute('data-live') === uuid, body.uuid)
		await page.keyboard.press('Enter')
		await page.locator('[data-sip=confirm-action]').focus()
		await page.keyboard.press('Enter')
		const ended = await test.demo.untilEnded(body.uuid)
		expect(ended).toMatchObject({ outcome: 'completed', reason: { code: 'ended_by_admin' } })
		await later()
		await live.waitFor({ state: 'detached' })
		expect(test.asked('DELETE', `/admin/call/${body.uuid}`)).toHaveLength(1)
		await page.getByText('Nobody is calling.').waitFor()
		await page.locator('[data-tile=calls] .value').filter({ hasText: '5' }).waitFor()
	})

	it('says how the parts are, in words', async () => {
		const part = page.locator('[data-part=freeswitch]')
		expect(await part.innerText()).toMatch(/FreeSWITCH\s+Working\s+\d+ ms/)
		await test.demo.request('POST', '/admin/config', { freeswitch: { host: '127.0.0.1', port: 1, user: null, password: 'nobody' } })
		await later()
		await page.locator('[data-part=freeswitch][data-state=down]').waitFor()
		expect(await part.innerText()).toMatch(/FreeSWITCH\s+Down\s+FreeSWITCH’s host answers/)
		await test.demo.request('POST', '/admin/config', { freeswitch: null })
		await later()
		await page.locator('[data-part=freeswitch][data-state=ok]').waitFor()
	})

	it('says so when the figures cannot be had; what was shown stays', async () => {
		await page.route((url) => url.pathname.endsWith('/admin/metrics'), (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'x', status: 503, detail: 'x', code: 'storage_unavailable', requestId: 'r' }) }))
		await page.locator('[data-sip=range] select').selectOption('90')
		await page.getByText('Could not load the overview.').waitFor()
		expect(await figure('calls').count()).toBe(1)
		await page.unrouteAll()
		await page.getByRole('button', { name: 'Try again' }).click()
		await page.getByText('Could not load the overview.').waitFor({ state: 'detached' })
		await figure('cost-GBP').waitFor()
	})

	it('has its numbers as tables also where what draws cannot be had', async () => {
		const other = await test.open('/', {})
		await other.route((url) => url.pathname.endsWith('sipcall-charts.js'), (route) => route.abort())
		await other.getByRole('link', { name: 'Overview' }).click()
		await other.locator('[data-sip=manage-failed]').waitFor()
		await other.locator('[data-chart=calls]').getByRole('button', { name: 'Show as table' }).click()
		await other.locator('[data-chart=calls] tbody tr').last().waitFor()
		await other.unrouteAll()
		await other.getByRole('button', { name: 'Try again' }).click()
		await other.locator('[data-chart=calls] canvas').waitFor()
		await other.context().close()
	})

	it('is the only page that fetches what draws', async () => {
		const other = await test.open('')
		await other.locator('[data-sip=row]').first().waitFor()
		for (const name of ['Users', 'Policy', 'Connection']) {
			await other.getByRole('link', { name }).click()
			await other.getByRole('heading', { name, exact: true }).first().waitFor()
		}
		expect(await other.locator('script[src*="sipcall-charts"]').count()).toBe(0)
		await other.getByRole('link', { name: 'Overview' }).click()
		await other.locator('[data-chart=calls] canvas').waitFor()
		expect(await other.locator('script[src*="sipcall-charts"]').count()).toBe(1)
		await other.context().close()
	})
})
