// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What it costs that SIPCall is watched: how much of the processor one look takes, and, side by side, how many calls are placed in
// rounds that a Prometheus and an administrator's open page watch and in rounds that nobody does. Prints the figures; exits 1 only when a request fails.

import type { CallJson } from '../../lib/http/schemas.ts'

import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { startBenchSidecar } from './sidecar.ts'

const PAIRS = Number(process.env.PAIRS ?? 20)
const ROUND_MS = 6_000
/** Who call at the same time. */
const WORKERS = 8
/** Prometheus asks every 15 seconds unless it was told otherwise (docs/admin/monitoring.md). */
const SCRAPE_MS = 5_000
/** Oftener than any page does; what is found serves everybody for five seconds. */
const HEALTH_MS = 1_000
/** Jiffies, as `/proc/<pid>/stat` counts them on Linux: 100 in a second. */
const TICK_MS = 10
/** So long a report serves everybody who asks (lib/health/health.ts). */
const REPORT_SEC = 5
const TOKEN = 'a-token-of-the-collector-0123456789abcdef'

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const undo: (() => Promise<unknown>)[] = []

interface Round {
	calls: number
	perSecond: number
	/** Of the sidecar's processor time, for each call. */
	cpuMs: number
}

try {
	const { request, url, pid, nextcloudProof } = await startBenchSidecar(undo, {
		callsPerMinute: 1_000_000,
		callsPerHour: 1_000_000,
		callsPerDay: 1_000_000,
		maxConcurrentPerUser: 100,
		maxConcurrent: 100,
		metricsToken: TOKEN,
	}, { isApart: true })
	const cpuMs = () => {
		const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
		return (Number(fields[11]) + Number(fields[12])) * TICK_MS
	}
	const callOnce = async (number: string) => {
		for (let call = await request<CallJson>('POST', '/call', { to: number }); call.status !== 'ended';) {
			call = await request<CallJson>('GET', `/call-status/${call.uuid}?version=${call.version}&wait=25`)
		}
	}
	const scrape = async () => {
		const answer = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } })
		if (!(await answer.text()).includes('sipcall_calls_total')) {
			throw new Error(`/metrics was answered by ${answer.status}`)
		}
	}
	const health = () => request('GET', '/admin/health')

	const round = async (isWatched: boolean): Promise<Round> => {
		const over = new AbortController()
		const repeat = async (everyMs: number, work: () => Promise<unknown>) => {
			while (!over.signal.aborted) {
				await work()
				await delay(everyMs, undefined, { signal: over.signal }).catch(() => {})
			}
		}
		const watchers = isWatched ? [repeat(SCRAPE_MS, scrape), repeat(HEALTH_MS, health)] : []
		const [began, cpuBefore] = [performance.now(), cpuMs()]
		let calls = 0
		await Promise.all(Array.from({ length: WORKERS }, async (_, worker) => {
			while (performance.now() - began < ROUND_MS) {
				await callOnce(`+4930${1_000 + worker}17`)
				calls++
			}
		}))
		const [tookMs, usedMs] = [performance.now() - began, cpuMs() - cpuBefore]
		over.abort()
		await Promise.all(watchers)
		return { calls, perSecond: calls / tookMs * 1000, cpuMs: usedMs / calls }
	}

	/** Of the sidecar's processor time, for one of many in a row while nobody calls. */
	const costOf = async (times: number, look: () => Promise<unknown>) => {
		const before = cpuMs()
		for (let time = 0; time < times; time++) {
			await look()
		}
		return (cpuMs() - before) / times
	}
	/** As Nextcloud asks it for a console: never one that was made before. */
	const fullReport = async () => {
		const answer = await fetch(`${url}/occ/status`, { method: 'POST', headers: { ...nextcloudProof, 'Content-Type': 'application/json' }, body: '{}' })
		if (!(await answer.text()).includes('PostgreSQL answers')) {
			throw new Error(`/occ/status was answered by ${answer.status}`)
		}
	}

	console.log(`${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}; ${PAIRS} pairs of rounds of ${ROUND_MS / 1000} s, ${WORKERS} who call; watched: /metrics every ${SCRAPE_MS / 1000} s, /admin/health every ${HEALTH_MS / 1000} s`)
	await round(true)
	await round(false)
	const [scrapeMs, reportMs] = [await costOf(300, scrape), await costOf(100, fullReport)]
	const shareOf = (scrapeEverySec: number) => (scrapeMs / scrapeEverySec + reportMs / REPORT_SEC) / 10
	console.log(`the server's processor time: ${scrapeMs.toFixed(1)} ms for /metrics, ${reportMs.toFixed(1)} ms for a report of all parts`)
	console.log(`of one core, with a report every ${REPORT_SEC} s, which is the most: ${shareOf(15).toFixed(2)} % with /metrics every 15 s, ${shareOf(5).toFixed(2)} % every 5 s (budget 2 %)`)
	const pairs: { watched: Round, alone: Round }[] = []
	for (let pair = 0; pair < PAIRS; pair++) {
		// Who is first changes: what grows with the time, such as the number of calls, must not count for one of them.
		const first = await round(pair % 2 === 0)
		const second = await round(pair % 2 !== 0)
		pairs.push(pair % 2 === 0 ? { watched: first, alone: second } : { watched: second, alone: first })
	}
	const of = (pick: (pair: typeof pairs[number]) => number) => median(pairs.map(pick))
	const calls = pairs.reduce((sum, { watched, alone }) => sum + watched.calls + alone.calls, 0)
	console.log(`${calls.toLocaleString('en')} calls`)
	console.log(`calls a second: median ${of(({ alone }) => alone.perSecond).toFixed(1)} alone, ${of(({ watched }) => watched.perSecond).toFixed(1)} watched; of each pair ${((of(({ watched, alone }) => watched.perSecond / alone.perSecond) - 1) * 100).toFixed(2)} % (median; budget -2 %)`)
	console.log(`the server's processor time for a call: median ${of(({ alone }) => alone.cpuMs).toFixed(2)} ms alone, ${of(({ watched }) => watched.cpuMs).toFixed(2)} ms watched; of each pair ${((of(({ watched, alone }) => watched.cpuMs / alone.cpuMs) - 1) * 100).toFixed(2)} % (median; budget 2 %)`)
	const spread = pairs.map(({ watched, alone }) => (watched.cpuMs / alone.cpuMs - 1) * 100).toSorted((a, b) => a - b)
	console.log(`of the pairs, from ${spread[0]?.toFixed(1)} % to ${spread.at(-1)?.toFixed(1)} %`)
} finally {
	for (const step of undo.toReversed()) {
		await step()
	}
}
