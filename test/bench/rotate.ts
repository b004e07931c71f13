// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How long a change of the encryption key takes with 100,000 calls, and how much longer calls and the history take meanwhile.
// Prints the figures; exits 1 only when a request fails or a row is not under the new key.

import type { KeysJson } from '../../lib/http/routes/admin-keys.ts'
import type { CallJson } from '../../lib/http/schemas.ts'

import { cpus, loadavg } from 'node:os'
import { startBenchSidecar } from './sidecar.ts'

const ROWS = Number(process.env.BENCH_ROWS ?? 100_000)
/** A statement has 30 seconds, also on a slow machine. */
const ROUNDS = 40

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const undo: (() => Promise<unknown>)[] = []
try {
	const { request, query, copyLast } = await startBenchSidecar(undo, { callsPerMinute: 100_000, callsPerHour: 100_000, callsPerDay: 100_000, callerIds: [{ number: '+4930123456', label: 'Office' }] })
	const measure = async () => {
		const since = performance.now()
		let call = await request<CallJson>('POST', '/call', { to: '+4930123400', note: 'Ask for the offer', callerId: '+4930123456' })
		const placed = performance.now()
		await request('GET', '/call-history')
		const listed = performance.now()
		for (call = await request<CallJson>('DELETE', `/call/${call.uuid}`); call.status !== 'ended';) {
			call = await request<CallJson>('GET', `/call-status/${call.uuid}?version=${call.version}&wait=25`)
		}
		return { placeMs: placed - since, listMs: listed - placed }
	}
	await measure()
	await copyLast(ROWS)
	console.log(`${ROWS.toLocaleString('en')} calls with five encrypted texts each, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`)

	const without = []
	for (let round = 0; round < ROUNDS; round++) {
		without.push(await measure())
	}
	const since = performance.now()
	await request('POST', '/admin/keys/rotate', {})
	console.log(`the new key is in use after ${(performance.now() - since).toFixed(0)} ms`)
	const during = []
	let keys: KeysJson
	do {
		during.push(await measure())
		keys = await request<KeysJson>('GET', '/admin/keys')
	} while (keys.state === 'running')
	const tookSec = (performance.now() - since) / 1000
	console.log(`${keys.rows.total.toLocaleString('en')} rows in ${tookSec.toFixed(1)} s: ${(keys.rows.total / tookSec).toFixed(0)} rows/s`)
	for (const [name, pick] of [['a call is accepted', 'placeMs'], ['the history is listed', 'listMs']] as const) {
		const [before, meanwhile] = [without, during].map((rounds) => median(rounds.map((round) => round[pick])))
		console.log(`${name}: median ${before?.toFixed(1)} ms without, ${meanwhile?.toFixed(1)} ms meanwhile (${((meanwhile ?? 0) / (before ?? 1)).toFixed(1)} times; slowest ${Math.max(...during.map((round) => round[pick])).toFixed(0)} ms of ${during.length})`)
	}
	const { rows: [left] } = await query('select count(*)::int as count from calls where left(to_number, 8) <> (select kid from encryption_keys order by active_since desc limit 1)')
	if (keys.rows.left !== 0 || left?.count !== 0) {
		console.error(`${keys.rows.left} rows are not under the new key`)
		process.exitCode = 1
	}
} finally {
	for (const step of undo.toReversed()) {
		await step()
	}
}
