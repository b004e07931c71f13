// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What was wanted, what was written on the wire, what the switch had, and what is in the books: after much at once.

import type { BookedCall, Environment } from './environment.ts'

import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { expectedEnd } from './checker.ts'
import { destinationLeg, isAlive } from './truth.ts'

/** Of the requests for one key. */
export interface Wanted {
	requests: number
	/** Calls that were accepted (202). */
	uuids: Set<string>
	/** How often each status was answered; 0: no answer. */
	statuses: Map<number, number>
}

export class Wants {
	readonly byKey = new Map<string, Wanted>()

	note(key: string, status: number, uuid: string | undefined): void {
		const wanted = this.byKey.get(key) ?? { requests: 0, uuids: new Set(), statuses: new Map<number, number>() }
		this.byKey.set(key, wanted)
		wanted.requests++
		wanted.statuses.set(status, (wanted.statuses.get(status) ?? 0) + 1)
		if (status === 202 && uuid !== undefined) {
			wanted.uuids.add(uuid)
		}
	}

	get requests(): number {
		return [...this.byKey.values()].reduce((sum, { requests }) => sum + requests, 0)
	}

	/** Over all keys, such as `202: 9,812`. */
	statusLine(): string {
		const sums = new Map<number, number>()
		this.byKey.forEach(({ statuses }) => statuses.forEach((count, status) => sums.set(status, (sums.get(status) ?? 0) + count)))
		return [...sums].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count.toLocaleString('en')}`).join(', ')
	}
}

/** Talk is measured by the switch; what was read from the test's own clock may be so far off. */
const TALK_TOLERANCE_MS = 1_500
const MOST_SHOWN = 10
const QUIET_LIMIT_MS = 120_000

/** All whose parties talk hang up; resolves when nothing is open any more, with the seconds that took. */
export async function untilNothingIsOpen(environment: Environment): Promise<number> {
	const since = performance.now()
	for (;;) {
		for (const { legs } of environment.truth.calls.values()) {
			legs.filter(({ answeredAt, endedAt }) => answeredAt !== undefined && endedAt === undefined).forEach(({ uuid, node }) => environment.switches[node]?.hangUp(uuid))
		}
		const [open] = await environment.query<{ count: number }>('select count(*)::int as count from calls where status <> \'ended\'')
		if (open?.count === 0 && ![...environment.truth.calls.values()].some(isAlive)) {
			return (performance.now() - since) / 1000
		}
		if (performance.now() - since > QUIET_LIMIT_MS) {
			throw new Error(`${open?.count} calls are still open after ${QUIET_LIMIT_MS / 1000} s`)
		}
		await delay(200)
	}
}

/** Prints a line for each promise, and sets the exit code when one is broken. */
export async function balance(environment: Environment, wants: Wants): Promise<void> {
	const truth = environment.truth.calls
	const booked = new Map((await environment.query<BookedCall>('select * from calls')).map((call) => [call.uuid, call]))
	const accepted = new Set([...wants.byKey.values()].flatMap(({ uuids }) => [...uuids]))
	const written = [...truth.values()].filter(({ writtenAt }) => writtenAt.length > 0)
	const wrong: [string, number][] = [
		['keys that stand for more than one call', [...wants.byKey.values()].filter(({ uuids }) => uuids.size > 1).length],
		['originates written more than once', written.filter(({ writtenAt, taken }) => writtenAt.length > 1 || taken > 1).length],
		['calls that were dialled and are not in the books', written.filter(({ uuid }) => !booked.has(uuid)).length],
		['calls that were accepted and are not in the books', [...accepted].filter((uuid) => !booked.has(uuid)).length],
		['calls that were accepted, are not hung up before, and were never dialled', [...accepted].filter((uuid) => !truth.has(uuid) && booked.get(uuid)?.hangup_requested_at === null).length],
		['calls that have not ended in the books', [...booked.values()].filter(({ status }) => status !== 'ended').length],
		['legs that are left on the switch', environment.switches.flatMap((one) => one.channels()).length],
		['calls of which the books say something else than the switch', written.filter(({ uuid }) => isOtherwise(uuid)).length],
	]

	function isOtherwise(uuid: string): boolean {
		const [call, row] = [truth.get(uuid), booked.get(uuid)]
		const expected = call === undefined ? undefined : expectedEnd(call, row?.hangup_requested_at !== null)
		return row !== undefined && expected !== undefined && (row.outcome !== expected.outcome
			|| (expected.endedBy !== undefined && row.ended_by !== expected.endedBy)
			|| (expected.talkMs !== undefined && Math.abs((row.talk_ms ?? 0) - expected.talkMs) > TALK_TOLERANCE_MS))
	}

	const lines: [string, string | number][] = [
		['calls wanted (keys)', wants.byKey.size],
		['requests', wants.requests],
		['answers', wants.statusLine()],
		['distinct calls accepted', accepted.size],
		['originates on the wire', written.reduce((sum, { writtenAt }) => sum + writtenAt.length, 0)],
		['calls that the switch saw', [...truth.values()].filter(({ taken }) => taken > 0).length],
		['… of which were answered', [...truth.values()].filter((call) => destinationLeg(call)?.answeredAt !== undefined).length],
		['rows in the books', booked.size],
		...wrong.map(([what, count]): [string, number] => [`broken: ${what}`, count]),
	]
	const width = Math.max(...lines.map(([what]) => what.length))
	lines.forEach(([what, figure]) => process.stdout.write(`${what.padEnd(width)}  ${typeof figure === 'number' ? figure.toLocaleString('en') : figure}\n`))
	for (const call of written.filter(({ uuid }) => isOtherwise(uuid)).slice(0, MOST_SHOWN)) {
		const { outcome, ended_by: endedBy, talk_ms: talkMs } = booked.get(call.uuid) ?? {}
		const expected = expectedEnd(call, booked.get(call.uuid)?.hangup_requested_at !== null)
		process.stdout.write(`  ${call.uuid}: ${outcome} by ${endedBy}, ${talkMs} ms in the books; ${JSON.stringify(expected)} on the switch\n`)
	}
	process.exitCode = wrong.every(([, count]) => count === 0) ? 0 : 1
}
