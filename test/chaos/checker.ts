// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Judges a run: each promise against what was written on the wire, what the switch itself had, and what is in the books.
// Pure: the same record always gives the same judgement.

import type { BookedCall } from './environment.ts'
import type { Gap } from './faults.ts'
import type { RequestRecord, RunRecord } from './run.ts'
import type { TrueCall } from './truth.ts'

import { allowanceOf } from '../../lib/redis/call-limiter.ts'
import { AFFORDABLE, DEAR, LINES } from './plan.ts'
import { QUIET_LIMIT_MS } from './run.ts'
import { destinationLeg, endOf, isAlive, userLeg } from './truth.ts'

export const PROMISES = {
	once: 'an originate is written at most once, for a call that is in the books, and one call for each key',
	kept: 'no accepted call is missing in the books',
	ended: 'every call ends in the books within 60 s, one that is gone within 20 s of a reconnect, and no leg is left',
	free: 'nothing that ended keeps anybody from calling',
	true: 'the books say how the call ended',
	hangUp: 'who hangs up gets no conversation any more',
	limits: 'not more calls than the limits allow',
	alive: 'no replica ends by itself',
} as const

export type Promised = keyof typeof PROMISES

export interface Broken {
	promise: Promised
	what: string
}

/** Events are told and stored within this time; around a gap nobody can say which ones were. */
const TELL_MS = 3_000
/** Talk is measured by the switch; what was read from the test's own clock may be so far off. */
const TALK_TOLERANCE_MS = 1_500
/** A call that is gone from the switch when it comes back: the contract, section 3. */
const GONE_LIMIT_MS = 20_000
/** From the wish's answer until the switch has hung up, with everything well. */
const HANG_UP_MS = 5_000

export function judge(record: RunRecord, truth: ReadonlyMap<string, TrueCall>): Broken[] {
	const booked = new Map(record.booked.map((call) => [call.uuid, call]))
	return [
		...judgeOnce(record, truth, booked),
		...judgeKept(record, booked),
		...judgeEnds(record, truth, booked),
		...record.crashes.map((what): Broken => ({ promise: 'alive', what })),
		...(record.quietAt === undefined || record.probe === '202' ? [] : [{ promise: 'free' as const, what: `a call by ${record.plan.probe.userId} at replica ${record.plan.probe.replica}: ${record.probe}` }]),
		...judgeHangUps(record, truth),
		...judgeLimits(record, truth),
		...[...truth.values()].flatMap((call) => judgeTruth(record, call, booked.get(call.uuid))),
		...record.booked.flatMap((call) => truth.has(call.uuid) ? [] : judgeUndialled(call)),
	]
}

function judgeOnce({ unbooked }: RunRecord, truth: ReadonlyMap<string, TrueCall>, booked: ReadonlyMap<string, BookedCall>): Broken[] {
	const broken: Broken[] = []
	const byNumber = new Map<string, string[]>()
	for (const call of truth.values()) {
		if (call.writtenAt.length !== 1 || call.taken > 1) {
			broken.push({ promise: 'once', what: `the originate of ${call.uuid} was written ${call.writtenAt.length} times, and taken ${call.taken} times` })
		}
		if (unbooked.includes(call.uuid) || !booked.has(call.uuid)) {
			broken.push({ promise: 'once', what: `${call.uuid} was dialled, and its row was not committed` })
		}
		byNumber.set(call.number, [...byNumber.get(call.number) ?? [], call.uuid])
	}
	for (const [number, uuids] of byNumber) {
		if (uuids.length > 1) {
			// Each number is called by one key.
			broken.push({ promise: 'once', what: `${uuids.length} calls for one key (number ${number.slice(-2)}): ${uuids.join(', ')}` })
		}
	}
	return broken
}

function judgeKept({ requests, keys }: RunRecord, booked: ReadonlyMap<string, BookedCall>): Broken[] {
	return requests.filter(({ kind, status }) => kind === 'call' && status === 202).flatMap(({ uuid = '', key }): Broken[] => [
		...(booked.has(uuid) ? [] : [{ promise: 'kept' as const, what: `${uuid} was answered by 202 and is not in the books` }]),
		...(keys.get(key) === uuid ? [] : [{ promise: 'once' as const, what: `key ${key} was answered with ${uuid} and stands for ${keys.get(key)}` }]),
	])
}

function judgeEnds(record: RunRecord, truth: ReadonlyMap<string, TrueCall>, booked: ReadonlyMap<string, BookedCall>): Broken[] {
	if (record.quietAt === undefined) {
		return [{ promise: 'ended', what: `not quiet after ${Math.round(QUIET_LIMIT_MS / 1000)} s: ${record.left.join('; ')}` }]
	}
	return [...booked.values()].flatMap((call): Broken[] => {
		if (call.status !== 'ended') {
			return [{ promise: 'ended', what: `${call.uuid} is ${call.status} after all` }]
		}
		const known = truth.get(call.uuid)
		const over = known === undefined ? undefined : endOf(known)
		// What the switch does not have any more when it is there again is found out sooner than what was never heard of.
		const limitMs = over === undefined || isLost(record, call.uuid, known) ? QUIET_LIMIT_MS : GONE_LIMIT_MS
		const tookMs = (record.openAt.get(call.uuid) ?? 0) - Math.max(record.upAt, over ?? 0)
		return tookMs <= limitMs ? [] : [{ promise: 'ended', what: `${call.uuid} was open ${Math.round(tookMs / 1000)} s after its legs, and after everything was up` }]
	})
}

/** Whether the network has lost an event that told of it. */
function isLost({ faults }: RunRecord, callUuid: string, call: TrueCall | undefined): boolean {
	return faults.lost.some((text) => text.includes(callUuid) || call?.legs.some(({ uuid }) => text.includes(uuid)) === true)
}

/** Wishes that were answered: nothing begins after them, and nothing goes on. */
function judgeHangUps({ requests, upAt, quietAt }: RunRecord, truth: ReadonlyMap<string, TrueCall>): Broken[] {
	const broken: Broken[] = []
	for (const [uuid, at] of firstHangUps(requests)) {
		const call = truth.get(uuid)
		if (call === undefined) {
			continue
		}
		if (call.writtenAt.some((written) => written > at)) {
			broken.push({ promise: 'hangUp', what: `${uuid} was dialled ${Math.round(Math.max(...call.writtenAt) - at)} ms after its hang-up was answered` })
		}
		const answered = destinationLeg(call)?.answeredAt
		const limit = Math.max(at, upAt) + HANG_UP_MS
		if (answered !== undefined && answered > limit) {
			broken.push({ promise: 'hangUp', what: `${uuid} was connected ${Math.round(answered - at)} ms after its hang-up was answered` })
		}
		const over = endOf(call)
		if (over === undefined ? isAlive(call) : over > Math.max(at, upAt) + QUIET_LIMIT_MS) {
			broken.push({ promise: 'hangUp', what: `a leg of ${uuid} lived ${Math.round(((over ?? quietAt ?? performance.now()) - at) / 1000)} s after its hang-up was answered` })
		}
	}
	return broken
}

function firstHangUps(requests: readonly RequestRecord[]): Map<string, number> {
	const first = new Map<string, number>()
	for (const { kind, status, uuid, answeredAt } of requests) {
		if (kind === 'hang up' && status === 202 && uuid !== undefined) {
			first.set(uuid, Math.min(answeredAt, first.get(uuid) ?? Infinity))
		}
	}
	return first
}

/** A call as it was on the switch, and so on somebody's bill. */
interface Span {
	call: TrueCall
	userId: string
	from: number
	to: number
}

function judgeLimits(record: RunRecord, truth: ReadonlyMap<string, TrueCall>): Broken[] {
	const planned = new Map(record.plan.calls.map((call) => [call.number, call]))
	const transferred = new Set(record.booked.filter(({ transfer }) => transfer !== null).map(({ uuid }) => uuid))
	const spans = [...truth.values()].flatMap((call): Span[] => {
		const userId = planned.get(call.number)?.userId
		return call.taken === 0 || userId === undefined || call.legs.length === 0
			? []
			: [{ call, userId, from: Math.min(...call.legs.map(({ createdAt }) => createdAt)), to: endOf(call) ?? Infinity }]
	}).toSorted((a, b) => a.from - b.from)
	return [...judgeLines(spans, transferred), ...judgeCallsPerDay(record, spans), ...judgeMoney(spans)]
}

function judgeLines(spans: readonly Span[], transferred: ReadonlySet<string>): Broken[] {
	const broken: Broken[] = []
	const counted = spans.filter(({ call }) => !transferred.has(call.uuid))
	for (const span of counted) {
		const beside = counted.filter((other) => other !== span && other.from <= span.from && other.to > span.from)
		if (beside.length >= LINES) {
			broken.push({ promise: 'limits', what: `${beside.length + 1} calls at the same time, and ${LINES} are allowed` })
		}
		const ofUser = beside.filter(({ userId }) => userId === span.userId)
		if (ofUser.length > 0 && !span.userId.startsWith('scarce')) {
			broken.push({ promise: 'limits', what: `${span.userId} had two calls at the same time: ${ofUser[0]?.call.uuid}, ${span.call.uuid}` })
		}
	}
	return broken
}

/** While Redis is away each replica gives out a tenth by itself; a Redis that was killed begins to count anew. */
function judgeCallsPerDay({ plan: { callsPerDay }, faults }: RunRecord, spans: readonly Span[]): Broken[] {
	if (callsPerDay === undefined) {
		return []
	}
	const begunAnew = faults.records.filter(({ fault, firedMs }) => firedMs !== undefined && fault.startsWith('kill redis')).length
	const starts = 2 + faults.kills.length
	const allowed = callsPerDay * (1 + begunAnew) + (faults.redisFaults > 0 ? allowanceOf(callsPerDay) * starts : 0)
	const users = new Set(spans.map(({ userId }) => userId).filter((userId) => userId.startsWith('scarce')))
	return [...users].flatMap((userId): Broken[] => {
		const count = spans.filter((span) => span.userId === userId).length
		return count <= allowed ? [] : [{ promise: 'limits', what: `${userId} made ${count} calls, and ${callsPerDay} a day are allowed (${allowed} with what was wrong with Redis)` }]
	})
}

/** Each answered call costs one, and each open one may. */
function judgeMoney(spans: readonly Span[]): Broken[] {
	const dear = spans.filter(({ call }) => call.number.startsWith(DEAR))
	return dear.flatMap((span): Broken[] => {
		const spent = dear.filter((other) => other !== span && other.from <= span.from && (other.to > span.from || destinationLeg(other.call)?.answeredAt !== undefined)).length
		return spent < AFFORDABLE ? [] : [{ promise: 'limits', what: `${spent + 1} calls that cost something, and there was money for ${AFFORDABLE}` }]
	})
}

type Expected = { outcome: string, endedBy?: string, talkMs?: number }

/** How FreeSWITCH's causes are told of a leg that nobody answered. */
const OUTCOMES: Readonly<Record<string, string>> = {
	USER_BUSY: 'busy',
	CALL_REJECTED: 'rejected',
	NO_USER_RESPONSE: 'no_answer',
	NO_ANSWER: 'no_answer',
	UNALLOCATED_NUMBER: 'failed',
	NORMAL_TEMPORARY_FAILURE: 'failed',
	USER_NOT_REGISTERED: 'failed',
	ORIGINATOR_CANCEL: 'cancelled',
	NORMAL_CLEARING: 'cancelled',
}

/** What the books must say of a call whose every event was told. */
export function expectedEnd(call: TrueCall, isWished: boolean): Expected | undefined {
	const [user, destination] = [userLeg(call), destinationLeg(call)]
	if (destination?.answeredAt !== undefined) {
		// Both at the same moment: nobody can say who was first.
		const isUnclear = destination.cause === 'SYSTEM_SHUTDOWN' || user?.cause === 'SYSTEM_SHUTDOWN' || (destination.isByParty === true && user?.isByParty === true)
		const by = isUnclear
			? undefined
			: destination.isByParty === true ? 'callee' : user?.isByParty === true || isWished ? 'user' : undefined
		return { outcome: 'completed', ...(by === undefined ? {} : { endedBy: by }), talkMs: (destination.endedAt ?? destination.answeredAt) - destination.answeredAt }
	}
	const cause = destination?.cause ?? user?.cause ?? call.failure?.cause
	if (cause === undefined || cause === 'SYSTEM_SHUTDOWN') {
		return cause === undefined ? undefined : { outcome: isWished ? 'cancelled' : 'failed' }
	}
	const outcome = OUTCOMES[cause]
	return outcome === undefined ? undefined : { outcome }
}

function judgeTruth(record: RunRecord, call: TrueCall, booked: BookedCall | undefined): Broken[] {
	if (booked?.status !== 'ended' || booked.transfer !== null) {
		return []
	}
	const wish = firstHangUps(record.requests).get(call.uuid)
	const isWished = wish !== undefined || booked.hangup_requested_at !== null
	const { outcome, ended_by: endedBy } = booked
	const answeredLeg = destinationLeg(call)
	const isAnswered = answeredLeg?.answeredAt !== undefined
	const told = `${call.uuid} is ${outcome} by ${endedBy} in the books`
	if (outcome === 'completed' && !isAnswered) {
		return [{ promise: 'true', what: `${told}, and nobody has answered` }]
	}
	const over = endOf(call)
	const expected = expectedEnd(call, isWished)
	const isVanished = call.legs.some((leg) => leg.isVanished === true)
	const isEventLost = isLost(record, call.uuid, call)
	const firstEnd = Math.min(...call.legs.map(({ endedAt }) => endedAt ?? Infinity), over ?? Infinity)
	const isDoubtful = over === undefined || expected === undefined || isVanished || isEventLost || touches(record.faults.gaps, firstEnd - TELL_MS, over + TELL_MS)
	if (!isDoubtful) {
		return judgeExactly(told, expected, booked)
	}
	// Somebody was there who could have heard of the answer, and still could afterwards.
	const from = answeredLeg?.answeredAt ?? 0
	if (isAnswered && outcome !== 'completed' && !isEventLost && hasCalm(record.faults.gaps, from, answeredLeg.endedAt ?? record.upAt, TELL_MS + 1_000)) {
		return [{ promise: 'true', what: `${told}, and it was answered while everything was well` }]
	}
	const allowed = new Set(['failed', ...(isAnswered ? ['completed'] : []), ...(isWished ? ['cancelled'] : []), ...(expected === undefined ? [] : [expected.outcome])])
	return allowed.has(outcome ?? '') ? [] : [{ promise: 'true', what: `${told}; it may be ${[...allowed].join(' or ')}` }]
}

function judgeExactly(told: string, expected: Expected, booked: BookedCall): Broken[] {
	if (booked.outcome !== expected.outcome || (expected.endedBy !== undefined && booked.ended_by !== expected.endedBy)) {
		return [{ promise: 'true', what: `${told}, and was ${expected.outcome}${expected.endedBy === undefined ? '' : ` by ${expected.endedBy}`} on the switch` }]
	}
	return expected.talkMs !== undefined && Math.abs((booked.talk_ms ?? 0) - expected.talkMs) > TALK_TOLERANCE_MS
		? [{ promise: 'true', what: `${told} with ${booked.talk_ms} ms of talk, and it was ${Math.round(expected.talkMs)} ms` }]
		: []
}

/** A call of which no originate was ever written: whatever the books say, it was no conversation. */
function judgeUndialled({ uuid, outcome, status }: BookedCall): Broken[] {
	return status === 'ended' && outcome !== 'failed' && outcome !== 'cancelled'
		? [{ promise: 'true', what: `${uuid} is ${outcome} in the books, and nobody has dialled` }]
		: []
}

function touches(gaps: readonly Gap[], from: number, to: number): boolean {
	return gaps.some((gap) => gap.from <= to && gap.to >= from)
}

/** Whether there is such a long time without any gap. */
function hasCalm(gaps: readonly Gap[], from: number, to: number, lengthMs: number): boolean {
	let begin = from
	for (const gap of gaps.toSorted((a, b) => a.from - b.from)) {
		if (Math.min(gap.from, to) - begin >= lengthMs) {
			return true
		}
		begin = Math.max(begin, gap.to)
	}
	return to - begin >= lengthMs
}
