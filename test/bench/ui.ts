// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How quick the built page is before the real sidecar with 10,000 calls. Exits 1 when a number of rows is wrong, never
// because a machine is slow.

import type { Page } from 'playwright-core'
import type { CallJson } from '../../lib/http/schemas.ts'

import { cpus, loadavg } from 'node:os'
import { browserAvailable, launchBrowser } from '../support/browser.ts'
import { startBenchSidecar } from './sidecar.ts'

const CALLS = 10_000
const RUNS = 5
const PAGE = '/index.php/apps/app_api/embedded/sipcall/calls'

/** Of docs/developer/benchmarks.md. */
const BUDGETS = { readyMs: 1000, rowsMs: 1000, longestTaskMs: 50, nextPaintMs: 100, rows: 60 }

function report(name: string, value: number, budget: number, unit: string): void {
	console.log(`${name.padEnd(58)} ${value.toFixed(0).padStart(6)} ${unit.padEnd(4)} budget ${budget} ${unit}`)
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const undo: (() => Promise<unknown>)[] = []
try {
	if (!browserAvailable()) {
		throw new Error('There is no Chromium: set CHROMIUM_PATH')
	}
	const { shell, request, copyLast } = await startBenchSidecar(undo)
	await fill(request, copyLast)
	console.log(`${CALLS.toLocaleString('en')} calls, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`)
	const browser = await launchBrowser()
	undo.push(() => browser.close())
	const open = async (): Promise<Page> => {
		const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
		await context.addCookies([{ name: 'nc_username', value: 'demo', url: shell.url }])
		const page = await context.newPage()
		await page.addInitScript(observe)
		await page.goto(shell.url + PAGE)
		await page.waitForFunction(() => performance.getEntriesByName('sipcall:rows').length > 0)
		await page.locator('[data-sip=row]').first().waitFor()
		return page
	}

	const starts = []
	for (let run = 0; run < RUNS; run++) {
		const page = await open()
		starts.push(await page.evaluate(() => {
			const script = performance.getEntriesByType('resource').find(({ name }) => name.includes('sipcall-main.js')) as PerformanceResourceTiming
			const [ready, rows] = ['sipcall:ready', 'sipcall:rows'].map((name) => performance.getEntriesByName(name)[0]?.startTime ?? Infinity)
			return { ready: (ready ?? Infinity) - script.responseEnd, rows: (rows ?? Infinity) - (ready ?? Infinity) }
		}))
		await page.context().close()
	}
	report(`field usable after the script has come (median of ${RUNS})`, median(starts.map(({ ready }) => ready)), BUDGETS.readyMs, 'ms')
	report(`first rows after that, with their request (median of ${RUNS})`, median(starts.map(({ rows }) => rows)), BUDGETS.rowsMs, 'ms')

	const page = await open()
	await forget(page)
	const { mostRows, seen } = await scrollToEnd(page)
	report('row elements in the page while scrolling', mostRows, BUDGETS.rows, '')
	report('longest task while scrolling to the end', await longest(page, 'longtask'), BUDGETS.longestTaskMs, 'ms')
	if (seen !== CALLS || mostRows > BUDGETS.rows) {
		console.error(`${seen} of ${CALLS} calls were listed, with up to ${mostRows} rows in the page`)
		process.exitCode = 1
	}
	await forget(page)
	for (const filter of ['answered', 'all', 'not_reached', 'all']) {
		await page.locator(`[data-filter=${filter}]`).click()
		await page.locator(`[data-filter=${filter}][aria-pressed=true]`).waitFor()
	}
	for (const key of '0305550') {
		await page.locator('[data-sip=field]').press(key)
	}
	report('slowest interaction to the next paint while filtering', await longest(page, 'event'), BUDGETS.nextPaintMs, 'ms')
	report('longest task while filtering', await longest(page, 'longtask'), BUDGETS.longestTaskMs, 'ms')
} finally {
	for (const step of undo.toReversed()) {
		await step()
	}
}

/** One real call, and the others as its likes: half of them answered. */
async function fill(request: <Body>(method: string, address: string, body?: unknown) => Promise<Body>, copyLast: (rows: number, set: Record<string, string>) => Promise<void>): Promise<void> {
	let call = await request<CallJson>('POST', '/call', { to: '+4930123417' })
	while (call.status !== 'ended') {
		call = await request<CallJson>('GET', `/call-status/${call.uuid}?version=${call.version}&wait=25`)
	}
	await copyLast(CALLS - 1, { outcome: 'case at % 2 when 0 then \'completed\' else call.outcome end', talk_ms: 'case at % 2 when 0 then 60000 end' })
}

/** Runs in the page, from the beginning: keeps what the browser tells of long tasks and slow interactions. */
function observe(): void {
	const seen: { type: string, duration: number }[] = []
	Object.assign(globalThis, { sipcallSeen: seen })
	const take = (list: PerformanceObserverEntryList) => list.getEntries().forEach(({ entryType, duration }) => seen.push({ type: entryType, duration }))
	new PerformanceObserver(take).observe({ type: 'longtask' })
	new PerformanceObserver(take).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
}

function forget(page: Page): Promise<void> {
	return page.evaluate(() => {
		(globalThis as unknown as { sipcallSeen: unknown[] }).sipcallSeen.length = 0
	})
}

/** 0 = none was long enough to be told of: under 50 ms for a task, under 16 ms for an interaction. */
function longest(page: Page, type: string): Promise<number> {
	return page.evaluate(async (wanted) => {
		// What was painted last is told in the frames after it.
		await new Promise((resolve) => {
			requestAnimationFrame(() => requestAnimationFrame(resolve))
		})
		return Math.max(0, ...(globalThis as unknown as { sipcallSeen: { type: string, duration: number }[] }).sipcallSeen.filter((entry) => entry.type === wanted).map(({ duration }) => duration))
	}, type)
}

/** As a person with a wheel: on and on, while page after page of the history comes. */
function scrollToEnd(page: Page): Promise<{ mostRows: number, seen: number }> {
	return page.evaluate((calls) => new Promise<{ mostRows: number, seen: number }>((resolve) => {
		const scroller = document.querySelector('#app-content-vue')
		let mostRows = 0
		const step = () => {
			const rows = [...document.querySelectorAll('[data-sip=row]')]
			// Up to 200 rows all are drawn.
			const numbered = rows.filter((row) => row.hasAttribute('aria-posinset'))
			mostRows = Math.max(mostRows, numbered.length)
			const last = Number(numbered.at(-1)?.getAttribute('aria-posinset'))
			if (last === calls) {
				resolve({ mostRows, seen: last })
				return
			}
			scroller?.scrollBy(0, 600)
			requestAnimationFrame(step)
		}
		step()
	}), CALLS)
}
