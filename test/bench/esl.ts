// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the Event Socket client costs, against a server in another process on loopback. Exits 1 when a result is
// wrong (an event missing, something left behind), never because a machine is slow.

import type { ChildProcess } from 'node:child_process'
import type { ClientName } from './esl-clients.ts'

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { EslConnection } from '../../lib/esl/esl-connection.ts'
import { ModeslConnection } from '../../lib/esl/modesl-connection.ts'
import { loseBareModesl, OPEN } from './esl-clients.ts'
import { BGAPI_OF_A_SOCKET } from './esl-server.ts'

const CLIENTS: ClientName[] = ['ours', 'modesl', 'esl']
const TITLES: Record<ClientName, string> = { ours: 'lib/esl', modesl: 'modesl 1.2.1 as it comes', esl: 'esl 11.2.1' }
/** modesl takes 38 ms for each: fewer are enough to see it. */
const ROUND_TRIPS: Record<ClientName, number> = { ours: 20_000, modesl: 100, esl: 20_000 }
const EVENTS = 50_000
const RUNS = 3
const SOCKETS = 100
/** Heap that 100 lost sockets may leave, for caches of the runtime that are filled once. */
const HEAP_TOLERANCE_BYTES = 1024 * 1024

interface Latency {
	medianMs: number
	p95Ms: number
}

interface Growth {
	bgapis: number
	heapBytes: number
	connections: number
	listeners: number
	queued: number
	timers: number
}

function quantile(sorted: readonly number[], share: number): number {
	return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
}

async function latency(port: number, name: ClientName): Promise<Latency> {
	const client = await OPEN[name](port)
	const times: number[] = []
	for (let index = 0; index < ROUND_TRIPS[name]; index++) {
		const start = performance.now()
		await client.api()
		times.push(performance.now() - start)
	}
	client.close()
	// The first tenth warms the code up.
	const sorted = times.slice(times.length / 10).toSorted((a, b) => a - b)
	return { medianMs: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95) }
}

/** Events a second, of the best of three runs on one connection. */
async function throughput(port: number, name: ClientName): Promise<number> {
	let best = 0
	for (let run = 0; run < RUNS; run++) {
		const client = await OPEN[name](port)
		const start = performance.now()
		const end = await client.events(EVENTS)
		best = Math.max(best, EVENTS / (end - start) * 1_000)
		client.close()
	}
	return best
}

async function settle(collect: () => void): Promise<number> {
	for (let round = 0; round < 5; round++) {
		await new Promise((resolve) => {
			setImmediate(resolve)
		})
		collect()
	}
	return process.memoryUsage().heapUsed
}

async function growth(port: number): Promise<Growth> {
	setFlagsFromString('--expose-gc')
	const collect = runInNewContext('gc') as () => void
	const inner: WeakRef<ModeslConnection>[] = []
	const onConnect = ModeslConnection.prototype._onConnect
	ModeslConnection.prototype._onConnect = function(this: ModeslConnection) {
		inner.push(new WeakRef(this))
		onConnect.call(this)
	}
	let [bgapis, listeners, queued] = [0, 0, 0]
	const lose = async (): Promise<void> => {
		const { promise, resolve } = Promise.withResolvers<void>()
		const connection = await EslConnection.open({ host: '127.0.0.1', port, password: 'ClueCon' }, { onClose: () => resolve() })
		const opened = inner.at(-1)?.deref()
		const before = (opened as unknown as { listeners: (event: string) => unknown[] }).listeners('**').length
		await Promise.allSettled(Array.from({ length: BGAPI_OF_A_SOCKET }, (_, index) => {
			bgapis++
			return connection.command('bgapi status', { 'Job-UUID': String(index) })
		}))
		await promise
		listeners += (opened as unknown as { listeners: (event: string) => unknown[] }).listeners('**').length - before
		queued += opened?.cmdCallbackQueue.length ?? 0
	}
	for (let socket = 0; socket < SOCKETS; socket++) {
		await lose()
	}
	const before = await settle(collect)
	inner.length = 0
	bgapis = 0
	for (let socket = 0; socket < SOCKETS; socket++) {
		await lose()
	}
	const heapBytes = await settle(collect) - before
	return {
		bgapis,
		heapBytes,
		connections: inner.filter((reference) => reference.deref() !== undefined).length,
		listeners,
		queued,
		timers: process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length,
	}
}

async function growthOfModesl(port: number): Promise<{ listeners: number, queued: number }> {
	const left = { listeners: 0, queued: 0 }
	for (let socket = 0; socket < SOCKETS; socket++) {
		const lost = await loseBareModesl(port, BGAPI_OF_A_SOCKET)
		left.listeners += lost.listeners
		left.queued += lost.queued
	}
	return left
}

/** Each measurement has a process of its own, so that none warms up or litters the next. */
const PARTS: Record<string, (port: number) => Promise<unknown>> = {
	...Object.fromEntries(CLIENTS.flatMap((name) => [[`latency ${name}`, (port: number) => latency(port, name)], [`throughput ${name}`, (port: number) => throughput(port, name)]])),
	growth,
	'growth modesl': growthOfModesl,
}

async function measure<Result>(port: number, part: string): Promise<Result> {
	const child = fork(fileURLToPath(import.meta.url), [part, String(port)])
	const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => {
		throw new Error(`${part} ended with code ${code} and no result`)
	})]) as [Result]
	child.kill()
	return message
}

async function main(server: ChildProcess): Promise<boolean> {
	const [port] = await once(server, 'message') as [number]
	const lines: string[][] = []
	const figures = { latency: {} as Record<ClientName, Latency>, throughput: {} as Record<ClientName, number> }
	for (const name of CLIENTS) {
		figures.latency[name] = await measure(port, `latency ${name}`)
		figures.throughput[name] = await measure(port, `throughput ${name}`)
		const { medianMs, p95Ms } = figures.latency[name]
		lines.push([TITLES[name], medianMs.toFixed(3), p95Ms.toFixed(3), Math.round(figures.throughput[name]).toLocaleString('en'), (figures.throughput.ours / figures.throughput[name]).toFixed(2)])
	}
	const ours = await measure<Growth>(port, 'growth')
	const bare = await measure<{ listeners: number, queued: number }>(port, 'growth modesl')

	const print = (text = ''): boolean => process.stdout.write(`${text}\n`)
	const row = ([name = '', ...values]: string[]): boolean => print(name.padEnd(26) + values.map((value) => value.padStart(12)).join(''))
	row(['', 'api median', 'api p95', 'events/s', 'lib/esl is'])
	row(['', 'ms', 'ms', 'JSON', 'times'])
	lines.forEach(row)
	row(['wanted of lib/esl', '<= 1', '', '>= 15,000', ''])
	print()
	row([`left by ${SOCKETS} lost sockets`, 'heap kB', 'connections', 'listeners', 'queued', 'timers'])
	row([TITLES.ours, (ours.heapBytes / 1024).toFixed(0), ...[ours.connections, ours.listeners, ours.queued, ours.timers].map(String)])
	row([TITLES.modesl, '', '', String(bare.listeners), String(bare.queued), ''])
	print()
	print(`api: one command after the other on one connection, ${ROUND_TRIPS.ours.toLocaleString('en')} times (modesl: ${ROUND_TRIPS.modesl}), the first tenth left out.`)
	print(`events/s: ${EVENTS.toLocaleString('en')} recorded events (4.7 kB on average) as fast as the client reads, best of ${RUNS}; to the parsed event, without parsing the call out of it.`)
	print(`left: ${ours.bgapis.toLocaleString('en')} bgapi, 100 on each socket, half of them unanswered when it is closed; after as many to warm up and garbage collection.`)

	const isClean = ours.connections + ours.listeners + ours.queued + ours.timers === 0 && ours.bgapis === SOCKETS * BGAPI_OF_A_SOCKET
	return isClean && ours.heapBytes < HEAP_TOLERANCE_BYTES
}

const [, , part, port] = process.argv
if (part === undefined) {
	const server = fork(fileURLToPath(new URL('./esl-server.ts', import.meta.url)))
	try {
		process.exitCode = await main(server) ? 0 : 1
	} finally {
		server.kill()
	}
} else {
	process.send?.(await PARTS[part]?.(Number(port)), () => process.disconnect())
}
