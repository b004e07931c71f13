// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What Prometheus may read. No label ever holds a number, a name or a user: each is one of a few words that stand in this
// code, in FreeSWITCH's, or in the settings of an administrator (the gateways' names, the hosts of FreeSWITCH and of PostgreSQL's replicas).

import type { Call } from '../calls/call.ts'
import type { BacklogState } from '../calls/event-backlog.ts'
import type { NodeFigures } from '../calls/switch-inquiry.ts'
import type { GuardState } from '../guard.ts'
import type { Report } from './report.ts'

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { costOf } from '../calls/call-cost.ts'
import { legOfUser, legsOfDestination } from '../calls/call.ts'

/** What is asked for only when somebody reads. */
export interface MonitoringSources {
	openCalls: () => number
	isSwitchReady: () => boolean
	/** Of each FreeSWITCH. */
	switches: () => NodeFigures[]
	/** What happened to calls and waits for the database, and how many bytes of it are on the disk. */
	backlog: () => BacklogState & { bytes: number }
	/** How many servers work on the database, and whether a FreeSWITCH's events come in here, by its name. */
	replicas: () => { count: number, hears: ReadonlyMap<string, boolean> }
	/** Of each server of PostgreSQL that may be read from; the lag undefined where nobody knows it. */
	readReplicas: () => readonly { name: string, state: string, lagSec: number | undefined }[]
	report: () => Promise<Report>
	/** What stands before each part that may fail. */
	guards: () => GuardState[]
	/** Of the pool to PostgreSQL. */
	pool: () => PoolUse
}

/** Connections to PostgreSQL, and who waits for one. */
export interface PoolUse {
	busy: number
	idle: number
	waiting: number
}

/** Of a request; by no word that a client has chosen. */
export interface Answer {
	method: string
	route: string
	status: number
	seconds: number
	code?: string
	rule?: string
}

/** In seconds: what a person does not feel, up to what nobody waits for. */
const ANSWER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const RING_BUCKETS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60]
const TALK_BUCKETS = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600]
const MICROS = 1_000_000

/** A figure of each of several, read when somebody asks. */
interface Family<Row> {
	name: string
	help: string
	/** A counter ends with `_total`. */
	of: (row: Row) => number | undefined
}

const SWITCH_FAMILIES: readonly Family<NodeFigures>[] = [
	{ name: 'switch_node_connected', help: 'Whether this FreeSWITCH can be told anything: 1 or 0', of: ({ isReady }) => isReady ? 1 : 0 },
	{ name: 'switch_sessions', help: 'Channels on this FreeSWITCH, whoever made them', of: ({ sessions }) => sessions },
	{ name: 'switch_sessions_max', help: 'Channels that may be there at once', of: ({ maxSessions }) => maxSessions },
	{ name: 'switch_calls_per_second_max', help: 'Calls that this server places there in a second, at most', of: ({ callsPerSec: most }) => most },
	{ name: 'switch_calls_waiting', help: 'Calls that wait for their turn to be dialled', of: ({ waiting }) => waiting },
	{ name: 'switch_calls_paced_total', help: 'Calls that had to wait for their turn to be dialled', of: ({ paced }) => paced },
	{ name: 'switch_calls_refused_total', help: 'Calls that were refused because too many waited already', of: ({ refused }) => refused },
]

const GUARD_FAMILIES: readonly Family<GuardState>[] = [
	{ name: 'breaker_state', help: 'Whether a part is left alone because it did not answer: 0 no, 0.5 the next answer decides, 1 yes', of: ({ breaker }) => ({ closed: 0, half_open: 0.5, open: 1 })[breaker] },
	{ name: 'breaker_opened_total', help: 'Times that a part was left alone', of: ({ opened }) => opened },
	{ name: 'bulkhead_running', help: 'Questions to a part under way', of: ({ running }) => running },
	{ name: 'bulkhead_waiting', help: 'Questions that wait until fewer are under way', of: ({ waiting }) => waiting },
	{ name: 'bulkhead_refused_total', help: 'Questions that were not asked, because the part was left alone or too many waited', of: ({ refused }) => refused },
]

export class Monitoring {
	readonly contentType: string
	readonly #registry = new Registry()
	readonly #requests = this.#counter('http_requests_total', 'Requests that were answered', ['method', 'route', 'status'])
	readonly #answerSeconds = this.#histogram('http_request_duration_seconds', 'From a request to the end of its answer, long waits and event streams included', ['method', 'route'], ANSWER_BUCKETS)
	readonly #refusals = this.#counter('refusals_total', 'Requests that were refused, by the problem’s code and the rule of the policy', ['route', 'code', 'rule'])
	readonly #ended = this.#counter('calls_total', 'Calls that have ended, by outcome and FreeSWITCH’s hangup cause', ['outcome', 'cause'])
	readonly #ringSeconds = this.#histogram('click_to_ring_seconds', 'From the click to the ringing of the user’s phone', [], RING_BUCKETS)
	readonly #originateSeconds = this.#histogram('click_to_originate_seconds', 'From the request to the originate being written to FreeSWITCH', [], ANSWER_BUCKETS)
	readonly #dialSeconds = this.#histogram('answer_to_dial_seconds', 'From the user’s pick-up to the call to the destination', [], ANSWER_BUCKETS)
	readonly #talkSeconds = this.#histogram('talk_seconds', 'How long was talked', [], TALK_BUCKETS)
	readonly #cost = this.#counter('call_cost_total', 'What calls have cost, in units of the currency; what the phone company makes cheaper later stays counted', ['currency'])
	readonly #duplicates = this.#counter('duplicate_calls_prevented_total', 'Requests whose key had placed a call before', [])
	readonly #reconciliations = this.#counter('reconciliations_total', 'Times that FreeSWITCH was asked for all open calls, after a connection', [])
	readonly #eventLag = this.#histogram('event_lag_seconds', 'How much later than the quickest ones FreeSWITCH’s events arrive', [], ANSWER_BUCKETS)

	constructor(version: string) {
		this.contentType = this.#registry.contentType
		collectDefaultMetrics({ register: this.#registry })
		this.#gauge('build_info', 'The version that runs', ['version']).set({ version }, 1)
	}

	answered({ method, route, status, seconds, code, rule }: Answer): void {
		this.#requests.inc({ method, route, status: String(status) })
		this.#answerSeconds.observe({ method, route }, seconds)
		if (code !== undefined) {
			this.#refusals.inc({ route, code, rule: rule ?? '' })
		}
	}

	/** A request to call: a new call, or one that its key had placed before. */
	placed(isNew: boolean): void {
		if (!isNew) {
			this.#duplicates.inc()
		}
	}

	originated(seconds: number): void {
		this.#originateSeconds.observe(seconds)
	}

	ended(call: Call): void {
		this.#ended.inc({ outcome: call.outcome ?? 'unknown', cause: call.cause?.name ?? '' })
		const leg = legOfUser(call)
		observe(this.#ringSeconds, call.createdAt, leg.ringingAt)
		observe(this.#dialSeconds, call.userAnsweredAt, legsOfDestination(call)[0]?.createdAt)
		if (call.talkMs !== undefined && call.answeredAt !== undefined) {
			this.#talkSeconds.observe(call.talkMs / 1000)
		}
		this.priced(call, undefined)
	}

	/**
	 * What a call has cost is known, or known anew.
	 *
	 * @param before the call as it was when this was asked for last
	 */
	priced(call: Call, before: Call | undefined): void {
		const [cost, earlier] = [costOf(call), before === undefined ? undefined : costOf(before)]
		if (cost?.state === 'final') {
			const counted = earlier?.state === 'final' && earlier.cost.currency === cost.cost.currency ? BigInt(earlier.cost.micros) : 0n
			// A counter never goes back.
			this.#cost.inc({ currency: cost.cost.currency }, Math.max(0, Number(BigInt(cost.cost.micros) - counted)) / MICROS)
		}
	}

	lagged(seconds: number): void {
		this.#eventLag.observe(seconds)
	}

	reconciled(): void {
		this.#reconciliations.inc()
	}

	/** From now on gauges tell what these say. */
	watch({ openCalls, isSwitchReady, switches, backlog, replicas, readReplicas, report, guards, pool }: MonitoringSources): void {
		this.#gauge('replicas', 'Servers of SIPCall that work on the same database, this one among them', [], (gauge) => gauge.set(replicas().count))
		this.#gauge('switch_events_heard', 'Whether the events of a FreeSWITCH come in at this server: 1 or 0', ['node'], (gauge) => {
			gauge.reset()
			replicas().hears.forEach((isHeard, node) => gauge.set({ node }, isHeard ? 1 : 0))
		})
		this.#gauge('database_replica_up', 'Whether a read replica of PostgreSQL is read from: 1 or 0', ['replica'], (gauge) => {
			gauge.reset()
			readReplicas().forEach(({ name, state }) => gauge.set({ replica: name }, state === 'up' ? 1 : 0))
		})
		this.#gauge('database_replica_lag_seconds', 'How far a read replica was behind the primary when it was looked at last', ['replica'], (gauge) => {
			gauge.reset()
			readReplicas().forEach(({ name, lagSec }) => lagSec !== undefined && gauge.set({ replica: name }, lagSec))
		})
		this.#gauge('spool_changes', 'Changes of calls that wait for the database', [], (gauge) => gauge.set(backlog().waiting))
		this.#gauge('spool_bytes', 'Bytes of them on the disk', [], (gauge) => gauge.set(backlog().bytes))
		this.#gauge('spool_on_disk', 'Whether the disk has them: 1, or 0 when some are in memory alone', [], (gauge) => gauge.set(backlog().isOnDisk ? 1 : 0))
		this.#gauge('calls_open', 'Calls that have not ended', [], (gauge) => gauge.set(openCalls()))
		this.#gauge('switch_connected', 'Whether FreeSWITCH takes calls: 1 or 0', [], (gauge) => gauge.set(isSwitchReady() ? 1 : 0))
		this.#families(SWITCH_FAMILIES, switches, ['node'], ({ node }) => ({ node }))
		this.#families(GUARD_FAMILIES, guards, ['part', 'name'], ({ part, name = '' }) => ({ part, name }))
		this.#gauge('database_connections', 'Connections of the pool to PostgreSQL: those that work, those that are free, and who waits for one', ['state'], (gauge) => {
			Object.entries(pool()).forEach(([state, count]) => gauge.set({ state }, count))
		})
		this.#gauge('part_up', 'What the doctor finds: 1 for a part that works or is not set up, 0.5 for one that is degraded, 0 for one that is down', ['part', 'name'], async (gauge) => {
			const { parts } = await report()
			gauge.reset()
			for (const { id, name = '', state } of parts) {
				gauge.set({ part: id, name }, state === 'down' ? 0 : state === 'degraded' ? 0.5 : 1)
			}
		})
	}

	/** In Prometheus' text format 0.0.4. */
	text(): Promise<string> {
		return this.#registry.metrics()
	}

	#families<Row, Label extends string>(families: readonly Family<Row>[], rows: () => Row[], labelNames: Label[], labels: (row: Row) => Record<Label, string>): void {
		for (const { name, help, of } of families) {
			const known = () => rows().flatMap((row) => {
				const value = of(row)
				return value === undefined ? [] : [{ labels: labels(row), value }]
			})
			if (!name.endsWith('_total')) {
				this.#gauge(name, help, labelNames, (gauge) => {
					gauge.reset()
					known().forEach((figure) => gauge.set(figure.labels, figure.value))
				})
				continue
			}
			// After a restart of the parts the new ones are asked.
			this.#registry.removeSingleMetric(`sipcall_${name}`)
			const counter: Counter<Label> = new Counter({
				name: `sipcall_${name}`,
				help,
				labelNames,
				registers: [this.#registry],
				collect: () => {
					counter.reset()
					known().forEach((figure) => counter.inc(figure.labels, figure.value))
				},
			})
		}
	}

	#counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
		return new Counter({ name: `sipcall_${name}`, help, labelNames, registers: [this.#registry] })
	}

	#histogram<Label extends string>(name: string, help: string, labelNames: Label[], buckets: number[]): Histogram<Label> {
		return new Histogram({ name: `sipcall_${name}`, help, labelNames, buckets, registers: [this.#registry] })
	}

	#gauge<Label extends string>(name: string, help: string, labelNames: Label[], collect?: (gauge: Gauge<Label>) => void | Promise<void>): Gauge<Label> {
		// After a restart of the parts the new ones are asked.
		this.#registry.removeSingleMetric(`sipcall_${name}`)
		const gauge: Gauge<Label> = new Gauge({
			name: `sipcall_${name}`,
			help,
			labelNames,
			registers: [this.#registry],
			...(collect === undefined ? {} : { collect: () => collect(gauge) }),
		})
		return gauge
	}
}

/** What would be negative says nothing: a clock was set. */
function observe(histogram: Histogram, from: Date | undefined, to: Date | undefined): void {
	if (from !== undefined && to !== undefined && to >= from) {
		histogram.observe((to.getTime() - from.getTime()) / 1000)
	}
}
