// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The three clients that are compared, behind one face: ours, modesl 1.2.1 as it comes, and the package `esl`.

import type { FreeSwitchResponse } from 'esl'

import { FreeSwitchClient } from 'esl'
import modesl from 'modesl'
import { once } from 'node:events'
import { EslConnection } from '../../lib/esl/esl-connection.ts'
import { readRecording } from '../stand-ins/freeswitch/replay.ts'

export interface BenchClient {
	api: () => Promise<unknown>
	/** Asks for so many events and resolves with the time of the last one. */
	events: (count: number) => Promise<number>
	close: () => void
}

export type ClientName = 'ours' | 'modesl' | 'esl'

/** modesl's own methods, which lib/esl does not use. */
export type BareModesl = InstanceType<typeof modesl.Connection> & {
	api: (command: string, callback: () => void) => void
	bgapi: (command: string, args: string, callback: () => void) => void
	listeners: (event: string) => unknown[]
}

const ENDPOINT = { host: '127.0.0.1', password: 'ClueCon' }

/** Counts down, and tells when it is over. */
function countdown(count: number): { one: () => void, over: Promise<number> } {
	const { promise, resolve } = Promise.withResolvers<number>()
	let left = count
	return {
		one: () => {
			if (--left === 0) {
				resolve(performance.now())
			}
		},
		over: promise,
	}
}

async function openOurs(port: number): Promise<BenchClient> {
	let onEvent = (): void => {}
	const connection = await EslConnection.open({ ...ENDPOINT, port }, { onEvent: () => onEvent() })
	return {
		api: () => connection.command('api status'),
		events: async (count) => {
			const { one, over } = countdown(count)
			onEvent = one
			await connection.command(`events ${count}`)
			return over
		},
		close: () => connection.close(),
	}
}

export async function openModesl(port: number): Promise<BareModesl> {
	const connection = new modesl.Connection(ENDPOINT.host, port, ENDPOINT.password) as BareModesl
	connection.on('error', () => {})
	await new Promise<void>((resolve) => {
		connection.on('esl::ready', () => resolve())
	})
	return connection
}

async function openBareModesl(port: number): Promise<BenchClient> {
	const connection = await openModesl(port)
	return {
		api: () => new Promise<void>((resolve) => {
			connection.api('status', resolve)
		}),
		events: async (count) => {
			const { one, over } = countdown(count)
			const names = new Set(readRecording('c2c_b_hangs_up_all_json').events.map(({ name }) => name))
			names.forEach((name) => connection.on(`esl::event::${name}::**`, one))
			connection.send(`events ${count}`)
			return over
		},
		close: () => connection.socket?.destroy(),
	}
}

async function openEsl(port: number): Promise<BenchClient> {
	const client = new FreeSwitchClient({ ...ENDPOINT, port, logger: { debug: () => {}, info: () => {}, error: () => {} } })
	const call = await new Promise<FreeSwitchResponse>((resolve, reject) => {
		client.on('connect', resolve)
		client.on('error', reject)
		client.connect()
	})
	return {
		api: () => call.api('status'),
		events: async (count) => {
			const { one, over } = countdown(count)
			const names = new Set(readRecording('c2c_b_hangs_up_all_json').events.map(({ name }) => name))
			names.forEach((name) => call.on(name as 'CHANNEL_CREATE', one))
			await call.send(`events ${count}`)
			return over
		},
		close: () => client.end(),
	}
}

export const OPEN: Record<ClientName, (port: number) => Promise<BenchClient>> = { ours: openOurs, modesl: openBareModesl, esl: openEsl }

/** Sends 100 bgapi on a socket that the server then closes. */
export async function loseBareModesl(port: number, count: number): Promise<{ listeners: number, queued: number }> {
	const connection = await openModesl(port)
	const { socket } = connection
	const closed = socket === null ? Promise.resolve() : once(socket, 'close')
	for (let index = 0; index < count; index++) {
		connection.bgapi('status', '', () => {})
	}
	await closed
	return { listeners: connection.listeners('esl::event::BACKGROUND_JOB::*').length, queued: connection.cmdCallbackQueue.length }
}
