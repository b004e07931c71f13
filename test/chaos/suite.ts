// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Many runs in a few lanes beside each other: most of a run is waiting, so a machine has time for several.

import type { Broken, Promised } from './checker.ts'
import type { EnvironmentOptions } from './environment.ts'
import type { PlanOptions } from './plan.ts'

import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { judge, PROMISES } from './checker.ts'
import { Environment } from './environment.ts'
import { describePlan, makePlan } from './plan.ts'
import { execute } from './run.ts'

export interface SuiteOptions extends EnvironmentOptions, PlanOptions {
	seeds: readonly number[]
	lanes: number
	/** For the line of each run, and for all that is known of one that broke a promise; undefined: nothing is written. */
	folder?: string
	onRun?: (result: RunResult, lines: readonly string[]) => void
	/** Stops early. */
	mayGoOn?: () => boolean
}

export interface RunResult {
	seed: number
	calls: number
	dialled: number
	requests: number
	faults: { fault: string, trigger: string, firedMs?: number }[]
	/** The run itself, with its faults; then until everything was up; then until nothing was open. */
	loadMs: number
	quietMs: number | undefined
	takeoverMs: number[]
	broken: Broken[]
}

export interface Summary {
	runs: number
	calls: number
	dialled: number
	requests: number
	faults: number
	broken: Partial<Record<Promised, number>>
	brokenSeeds: number[]
	takeoverMs: { count: number, min?: number, median?: number, max?: number }
	quietMs: { median?: number, max?: number }
	seconds: number
}

export async function runSuite(options: SuiteOptions): Promise<{ summary: Summary, results: RunResult[] }> {
	const since = performance.now()
	const waiting = [...options.seeds]
	const results: RunResult[] = []
	if (options.folder !== undefined) {
		await mkdir(options.folder, { recursive: true })
	}
	// One after the other: a start is work, and the others' runs are not to be slowed down by several at once.
	let starting: Promise<unknown> = Promise.resolve()
	const start = () => {
		const started = starting.then(() => Environment.start(options))
		starting = started.catch(() => {})
		return started
	}
	const breakOff = () => process.exit(130)
	process.on('SIGINT', breakOff)
	process.on('SIGTERM', breakOff)
	const lane = async () => {
		let environment: Environment | undefined
		try {
			for (let seed = waiting.shift(); seed !== undefined && options.mayGoOn?.() !== false; seed = waiting.shift()) {
				environment ??= await start()
				const { result, lines } = await runOne(environment, seed, options)
				results.push(result)
				options.onRun?.(result, lines)
				if (result.broken.length > 0) {
					// What is wrong in there must not be told of the next run as well.
					await environment.stop()
					environment = undefined
				}
			}
		} finally {
			await environment?.stop()
		}
	}
	await Promise.all(Array.from({ length: Math.min(options.lanes, options.seeds.length) }, lane))
	process.off('SIGINT', breakOff)
	process.off('SIGTERM', breakOff)
	return { summary: summarise(results, performance.now() - since), results }
}

async function runOne(environment: Environment, seed: number, { folder, ...options }: SuiteOptions): Promise<{ result: RunResult, lines: string[] }> {
	const plan = makePlan(seed, options)
	environment.replicas.forEach(({ log }) => log.splice(0))
	const record = await execute(environment, plan)
	const broken = judge(record, environment.truth.calls)
	const result: RunResult = {
		seed,
		calls: plan.calls.length,
		dialled: [...environment.truth.calls.values()].filter(({ number }) => environment.planned.has(number)).length,
		requests: record.requests.length,
		faults: record.faults.records,
		loadMs: Math.round(record.upAt - record.beganAt),
		quietMs: record.quietAt === undefined ? undefined : Math.round(record.quietAt - record.upAt),
		takeoverMs: record.faults.kills.flatMap(({ takeoverMs }) => takeoverMs === undefined ? [] : [Math.round(takeoverMs)]),
		broken,
	}
	if (folder !== undefined) {
		await appendFile(join(folder, 'runs.jsonl'), `${JSON.stringify(result)}\n`)
		if (broken.length > 0) {
			const { faults, ...rest } = record
			const known = {
				broken,
				...rest,
				requests: record.requests.map(({ call, ...request }) => ({ number: call.number.slice(-2), ...request })),
				faults: { records: faults.records, gaps: faults.gaps, kills: faults.kills, lost: faults.lost.length },
				truth: [...environment.truth.calls.values()],
				keys: [...record.keys],
				log: environment.replicas.map(({ log }) => log.map(({ at, text }) => `${Math.round(at)} ${text}`)),
			}
			await writeFile(join(folder, `seed-${seed}.json`), JSON.stringify(known, null, '\t'))
		}
	}
	return { result, lines: describePlan(plan) }
}

function summarise(results: readonly RunResult[], ms: number): Summary {
	const sum = (of: (result: RunResult) => number) => results.reduce((total, result) => total + of(result), 0)
	const broken: Partial<Record<Promised, number>> = {}
	for (const { promise } of results.flatMap((result) => result.broken)) {
		broken[promise] = (broken[promise] ?? 0) + 1
	}
	const takeovers = results.flatMap(({ takeoverMs }) => takeoverMs).toSorted((a, b) => a - b)
	const quiet = results.flatMap(({ quietMs }) => quietMs === undefined ? [] : [quietMs]).toSorted((a, b) => a - b)
	return {
		runs: results.length,
		calls: sum(({ calls }) => calls),
		dialled: sum(({ dialled }) => dialled),
		requests: sum(({ requests }) => requests),
		faults: sum(({ faults }) => faults.filter(({ firedMs }) => firedMs !== undefined).length),
		broken,
		brokenSeeds: results.filter((result) => result.broken.length > 0).map(({ seed }) => seed),
		takeoverMs: { count: takeovers.length, ...spread(takeovers) },
		quietMs: spread(quiet),
		seconds: Math.round(ms / 1000),
	}
}

function spread(sorted: readonly number[]): { min?: number, median?: number, max?: number } {
	const [min, median, max] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
	return min === undefined || median === undefined || max === undefined ? {} : { min, median, max }
}

/** The table at the end. */
export function tableOf({ summary }: { summary: Summary }): string {
	const { takeoverMs, quietMs } = summary
	const rows: [string, string | number][] = [
		['runs', summary.runs],
		['calls wanted', summary.calls],
		['calls dialled', summary.dialled],
		['requests', summary.requests],
		['faults that happened', summary.faults],
		...Object.entries(PROMISES).map(([name, text]): [string, number] => [`broken: ${text}`, summary.broken[name as Promised] ?? 0]),
		['until quiet, median / max', `${seconds(quietMs.median)} / ${seconds(quietMs.max)}`],
		['takeovers, min / median / max', `${takeoverMs.count}: ${seconds(takeoverMs.min)} / ${seconds(takeoverMs.median)} / ${seconds(takeoverMs.max)}`],
		['time', `${summary.seconds} s`],
	]
	const width = Math.max(...rows.map(([name]) => name.length))
	return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

function seconds(ms: number | undefined): string {
	return ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`
}
