// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a hostile phone company's interface leaves in memory: thousands of questions, each answered by silence, a cut, nonsense or
// an answer without end. The server runs in a thread with a heap of its own, so the figures are the client's alone.
// Exits 1 when they grow, which no slow machine makes them do.

import type { Trouble } from '../stand-ins/telnyx/index.ts'

import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { openProvider } from '../../lib/provider/index.ts'
import { API_KEY, startTelnyx } from '../stand-ins/telnyx/index.ts'
import { RecordedLog } from '../support/recorded-log.ts'

const ROUNDS = 40
const WARM_UP = 10
const GROWTH_MB = 5
const MB = 1024 * 1024

const TROUBLES: Trouble[] = [
	{ kind: 'silence' },
	{ kind: 'cut' },
	{ kind: 'endless' },
	{ kind: 'text', text: '<html>'.repeat(10_000), type: 'text/html' },
	{ kind: 'text', text: '{"data":7}' },
	{ kind: 'text', text: `{"data":[${'{"phone_number":1},'.repeat(2_000)}{}],"meta":{"total_pages":1000000}}` },
	{ kind: 'status', status: 429, code: '10011' },
	{ kind: 'status', status: 500 },
]

if (isMainThread) {
	await measure()
} else {
	await serve()
}

async function serve(): Promise<void> {
	const telnyx = await startTelnyx()
	parentPort?.on('message', (trouble: Trouble) => {
		telnyx.trouble = () => trouble
		telnyx.asked.length = 0
		parentPort?.postMessage('set')
	})
	parentPort?.postMessage(telnyx.url)
}

async function measure(): Promise<void> {
	setFlagsFromString('--expose-gc')
	const collect = runInNewContext('gc') as () => void
	const worker = new Worker(new URL(import.meta.url))
	const [baseUrl] = await once(worker, 'message') as [string]
	let questions = 0
	let [first, last] = [0, 0]
	for (let round = 1; round <= ROUNDS; round++) {
		for (const trouble of TROUBLES) {
			worker.postMessage(trouble)
			await once(worker, 'message')
			// A new one each time: the same would soon leave it alone.
			const provider = openProvider({ kind: 'telnyx', apiKey: API_KEY, baseUrl }, { logger: new RecordedLog(), now: () => Date.now(), timeoutMs: 100 })
			const costs = async () => {
				for await (const record of provider.costs?.(new Date(0), new Date()) ?? []) {
					throw new TypeError(`Nothing of it can be read, and yet: ${record.id}`)
				}
			}
			await Promise.allSettled([provider.health?.(), provider.callerIds?.(), costs()])
			questions += 4
		}
		if (round % WARM_UP === 0) {
			collect()
			await new Promise(setImmediate)
			collect()
			const { heapUsed, external, rss } = process.memoryUsage()
			last = (heapUsed + external) / MB
			first = round === WARM_UP ? last : first
			console.log(`${String(questions).padStart(6)} questions   heap and buffers ${last.toFixed(1).padStart(6)} MB   whole process ${(rss / MB).toFixed(0).padStart(5)} MB`)
		}
	}
	await worker.terminate()
	if (last - first > GROWTH_MB) {
		console.error(`It grew by ${(last - first).toFixed(1)} MB; at most ${GROWTH_MB} are expected`)
		process.exitCode = 1
	}
}
