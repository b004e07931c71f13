// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `make storm`: many calls, each asked for one to five times with one key over two replicas, as fast as they answer.
//
//     make storm REQUESTS=10000 SEED=1

import process from 'node:process'
import { balance, untilNothingIsOpen, Wants } from './balance.ts'
import { Environment } from './environment.ts'
import { USERS } from './plan.ts'
import { Random } from './random.ts'

const REQUESTS = Number(process.env.REQUESTS ?? 10_000)
const AT_ONCE = Number(process.env.AT_ONCE ?? 64)
const random = new Random(Number(process.env.SEED ?? 1))
/** How FreeSWITCH's answers are spread: answered and hung up by the destination, busy, unknown, declined, no answer. */
const ENDINGS = ['01', '01', '01', '17', '04', '21', '18']
const MOST_REPEATED = 5

// Servers that were started are ended with this process.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(130))
const environment = await Environment.start({ sessionsPerSecond: 10_000 })
await environment.clients[0].must('admin', 'POST', '/admin/config', { maxConcurrent: 10_000, maxConcurrentPerUser: 1_000 })

interface Sending {
	key: string
	to: string
	userId: string
}

const sendings: Sending[] = []
for (let nth = 0; sendings.length < REQUESTS; nth++) {
	const sending = { key: `storm-${nth}`, to: `+4930${String(1_000_000 + nth).slice(1)}${ENDINGS[nth % ENDINGS.length]}`, userId: random.pick(USERS) }
	for (let times = 1 + random.whole(0, MOST_REPEATED - 1); times > 0 && sendings.length < REQUESTS; times--) {
		sendings.push(sending)
	}
}
// The repetitions of a call come close to each other, and not in a row.
const WINDOW = 40
const waiting = sendings.map((sending, at) => ({ sending, at: at + random.whole(0, WINDOW - 1) })).toSorted((a, b) => a.at - b.at).map(({ sending }) => sending)

const wants = new Wants()
const since = performance.now()
let sent = 0
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
	for (let sending = waiting.shift(); sending !== undefined; sending = waiting.shift()) {
		const { key, to, userId } = sending
		const client = environment.clients[random.whole(0, 1) === 0 ? 0 : 1]
		const { status, body } = await client.request<{ uuid?: string }>(userId, 'POST', '/call', { to }, { 'Idempotency-Key': key })
		wants.note(key, status, body.uuid)
		sent++
		if (sent % 1_000 === 0) {
			process.stdout.write(`${sent}/${REQUESTS} after ${Math.round((performance.now() - since) / 1000)} s\n`)
		}
	}
}))
const seconds = (performance.now() - since) / 1000
const quietSec = await untilNothingIsOpen(environment)
process.stdout.write(`${REQUESTS} requests in ${seconds.toFixed(1)} s, ${(REQUESTS / seconds).toFixed(0)} a second with ${AT_ONCE} at once; ${(environment.truth.calls.size / seconds).toFixed(0)} calls dialled a second; nothing open ${quietSec.toFixed(1)} s later\n`)
await balance(environment, wants)
await environment.stop()
process.exit()
