// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `make chaos`: SEED=… is the first run's seed, RUNS=… how many follow it. See docs/reliability.md.

import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { runSuite, tableOf } from './suite.ts'

const folder = process.env.CHAOS_FOLDER ?? fileURLToPath(new URL('../../.data/chaos', import.meta.url))
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 90_000))
const runs = Number(process.env.RUNS ?? 50)
const lanes = Number(process.env.LANES ?? 4)
const switches = Number(process.env.SWITCHES ?? 1)

function say(line: string): void {
	process.stdout.write(`${line}\n`)
}

say(`Seeds ${first} to ${first + runs - 1} in ${lanes} lanes; what is found goes to ${folder}`)
let done = 0
const outcome = await runSuite({
	seeds: Array.from({ length: runs }, (_, index) => first + index),
	lanes,
	switches,
	folder,
	onRun: (result, lines) => {
		done++
		const isWhole = runs <= 20 || result.broken.length > 0
		say(`${done}/${runs} seed ${result.seed}: ${result.broken.length === 0 ? 'kept' : 'BROKEN'}; ${result.dialled} of ${result.calls} calls dialled, ${result.requests} requests, up after ${result.loadMs} ms, quiet after ${result.quietMs ?? '–'} ms`)
		if (isWhole) {
			lines.forEach((line) => say(`  ${line}`))
			result.faults.filter(({ firedMs }) => firedMs === undefined).forEach(({ fault, trigger }) => say(`  never came: ${trigger}: ${fault}`))
		}
		result.broken.forEach(({ promise, what }) => say(`  BROKEN ${promise}: ${what}`))
		if (result.broken.length > 0) {
			say(`  once more: make chaos SEED=${result.seed} RUNS=1`)
		}
	},
})
await appendFile(join(folder, 'summaries.jsonl'), `${JSON.stringify({ first, ...outcome.summary })}\n`)
say('')
say(tableOf(outcome))
process.exit(outcome.summary.brokenSeeds.length === 0 ? 0 : 1)
