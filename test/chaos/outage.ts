// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `make outage`: PostgreSQL is away for ten minutes while people call, hang up and are hung up. Before and after it calls are
// placed, meanwhile they are wanted; at the end the books must say what the switch had.
//
//     make outage MINUTES=10 SEED=1

import type { Place } from './plan.ts'

import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { balance, untilNothingIsOpen, Wants } from './balance.ts'
import { Environment } from './environment.ts'
import { USERS } from './plan.ts'
import { Random } from './random.ts'

const AWAY_MS = Number(process.env.MINUTES ?? 10) * 60_000
const CALM_MS = 30_000
/** A call is wanted so often, whatever is away. */
const EVERY_MS = 250
const random = new Random(Number(process.env.SEED ?? 1))

function say(line: string): void {
	process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
}

// Servers that were started are ended with this process.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(130))
const environment = await Environment.start({ sessionsPerSecond: 1_000 })
await environment.clients[0].must('admin', 'POST', '/admin/config', { maxConcurrent: 10_000, maxConcurrentPerUser: 1_000, ringTimeoutSec: 30, answerTimeoutSec: 30 })
const wants = new Wants()
const pending = new Set<Promise<void>>()
let [hungUp, isOver] = [0, false]

/** Whoever is answered talks for a while, up to the whole time, and then one of three hangs up: a party, or the user by a click. */
async function call(nth: number): Promise<void> {
	const [place, key, userId] = [random.whole(0, 1) as Place, `outage-${nth}`, random.pick(USERS)]
	const [talkMs, by] = [random.whole(0, AWAY_MS - 1), random.whole(0, 2)]
	const { status, body: { uuid }, text } = await environment.clients[place].request<{ uuid?: string }>(userId, 'POST', '/call', { to: `+4930${String(1_000_000 + nth).slice(1)}99` }, { 'Idempotency-Key': key })
	wants.note(key, status, uuid)
	if (status === 0) {
		say(`a request to replica ${place} was not answered: ${text}`)
	}
	if (uuid === undefined) {
		return
	}
	for (const until = performance.now() + talkMs; performance.now() < until && !isOver;) {
		await delay(100)
	}
	const leg = environment.truth.calls.get(uuid)?.legs.find(({ role }) => role === (by === 0 ? 'user' : 'destination'))
	if (by === 2) {
		for (let tries = 0; tries < 20 && (await environment.clients[place].request(userId, 'DELETE', `/call/${uuid}`)).status !== 202; tries++) {
			await delay(200)
		}
		hungUp++
	} else if (leg !== undefined) {
		environment.switches[0]?.hangUp(leg.uuid)
	}
}

let nth = 0
const clock = setInterval(() => {
	const work = call(nth++).finally(() => pending.delete(work))
	pending.add(work)
}, EVERY_MS)
const openNow = () => [...environment.truth.calls.values()].filter(({ legs }) => legs.some(({ endedAt }) => endedAt === undefined)).length

await delay(CALM_MS)
say(`${openNow()} calls are up; PostgreSQL is stopped for ${AWAY_MS / 60_000} minutes`)
const proxies = environment.proxiesOf('postgres')
const openAtStart = openNow()
proxies.forEach((proxy) => proxy.setWeather({ isAway: true }))
const pid = environment.postgres.pid()
if (pid !== undefined) {
	// Immediate shutdown: what is not in its log is lost, as with a power failure.
	process.kill(pid, 'SIGQUIT')
}
const wantedBefore = wants.requests
for (let minute = 0; minute < AWAY_MS / 60_000; minute++) {
	await delay(Math.min(60_000, AWAY_MS))
	say(`${openNow()} calls are up, ${wants.requests - wantedBefore} were wanted meanwhile`)
}
const endedMeanwhile = openAtStart - openNow()
const wantedMeanwhile = wants.requests - wantedBefore
say(`PostgreSQL is there again; ${endedMeanwhile} calls have ended while it was away`)
proxies.forEach((proxy) => proxy.setWeather({ isAway: false }))
const back = performance.now()
await environment.untilReady()
say(`calls are placed again ${((performance.now() - back) / 1000).toFixed(1)} s later`)
await delay(CALM_MS)
clearInterval(clock)
isOver = true
await Promise.all(pending)
const quietSec = await untilNothingIsOpen(environment)
say(`nothing is open ${quietSec.toFixed(1)} s after the last call was let go; ${wantedMeanwhile} calls were wanted and ${endedMeanwhile} ended while PostgreSQL was away, ${hungUp} were hung up by a click`)
await balance(environment, wants)
await environment.stop()
process.exit()
