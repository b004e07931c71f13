// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The real sidecar for a benchmark: on a PostgreSQL of its own, with the stand-ins, ready to call.

import type { CallJson } from '../../lib/http/schemas.ts'

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startApp } from '../../lib/app.ts'
import { loadConfig } from '../../lib/config.ts'
import { startEmbeddedPostgres } from '../../lib/embedded/postgres.ts'
import { createLogger } from '../../lib/logger.ts'
import { loadEncryptionKeys } from '../../lib/privacy/key-file.ts'
import { KeyRing } from '../../lib/privacy/key-ring.ts'
import { startScriptedFreeSwitch } from '../stand-ins/freeswitch/index.ts'
import { startNextcloudShell } from '../stand-ins/nextcloud/nextcloud-shell.ts'
import { copyCalls } from '../support/copy-calls.ts'
import { findFreePort } from '../support/free-port.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * @param undo takes what ends it all, to be done from the last to the first
 * @param settings beside Germany as the home country, and everybody who may call
 * @param options.isApart in a process of its own: then `pid` says whose time is to be looked at
 */
export async function startBenchSidecar(undo: (() => Promise<unknown>)[], settings: Record<string, unknown> = {}, { isApart = false } = {}) {
	const secret = randomBytes(32).toString('hex')
	const folder = await mkdtemp(path.join(tmpdir(), 'sipcall-bench-'))
	undo.push(() => rm(folder, { recursive: true, force: true }))
	const postgres = await startEmbeddedPostgres({ dataDir: folder, logger: createLogger({ level: 'error', pretty: true }) })
	undo.push(() => postgres.stop())
	const freeSwitch = await startScriptedFreeSwitch({ speed: Infinity, heartbeatSec: 0, sessionsPerSecond: 100_000, maxSessions: 100_000 })
	undo.push(() => freeSwitch.stop())
	const shell = await startNextcloudShell({ appId: 'sipcall', appSecret: secret, appVersion: '0.1.0', exAppUrl: 'http://127.0.0.1:1' })
	undo.push(() => shell.stop())
	const environment = {
		APP_SECRET: secret,
		APP_PORT: '1',
		APP_PERSISTENT_STORAGE: folder,
		NEXTCLOUD_URL: shell.url,
		DATABASE_URL: postgres.url,
		JWT_SECRET_KEY: randomBytes(64).toString('base64'),
		REDIS_URL: 'redis://127.0.0.1:1',
		FREESWITCH_HOST: freeSwitch.host,
		FREESWITCH_PORT: String(freeSwitch.port),
		FREESWITCH_PASSWORD: freeSwitch.password,
	}
	const limits = { userPerMinute: 1_000_000, addressPerMinute: 1_000_000, authPerMinute: 1_000_000 }
	let app: { url: string, pid?: number | undefined }
	if (isApart) {
		app = await startApart(environment, undo)
	} else {
		const running = await startApp({ ...loadConfig(environment), listen: { host: '127.0.0.1', port: 0 } }, createLogger({ level: 'error', silent: true }), { requestLimits: limits })
		undo.push(() => running.stop())
		await running.ready
		app = running
	}
	await freeSwitch.until(() => freeSwitch.clients >= 2)
	shell.exAppUrl = app.url
	const client = new pg.Client(postgres.url)
	await client.connect()
	undo.push(() => client.end())
	const proofOf = (userId: string) => ({ 'EX-APP-ID': 'sipcall', 'EX-APP-VERSION': '0.1.0', 'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${secret}`).toString('base64') })
	const proof = proofOf('demo')
	const request = async <Body>(method: string, address: string, body?: unknown): Promise<Body> => {
		const answer = await fetch(app.url + address, { method, headers: { ...proof, 'X-Requested-With': 'XMLHttpRequest', 'Content-Type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
		if (!answer.ok) {
			throw new Error(`${method} ${address}: ${answer.status} ${await answer.text()}`)
		}
		return await answer.json() as Body
	}
	await request('POST', '/admin/config', { homeCountry: 'DE', allowedGroups: null, ...settings })
	await request('PUT', '/me', { devices: [{ kind: 'sip', label: 'Desk', address: '1000' }] })
	while ((await request<{ service: { calling: string } }>('GET', '/me')).service.calling !== 'ok') {
		await new Promise(setImmediate)
	}
	/** Fills the history with likes of the newest call, 20 minutes apart. */
	const copyLast = async (rows: number, set: Record<string, string> = {}) => {
		const { items: [newest] } = await request<{ items: CallJson[] }>('GET', '/call-history?limit=1')
		const back = (column: string) => `call.${column} - at * interval '20 minutes'`
		await copyCalls(postgres.url, new KeyRing(await loadEncryptionKeys(folder)), { uuid: newest?.uuid ?? '', rows, set: { created_at: back('created_at'), ended_at: back('ended_at'), ...set } })
		await client.query('vacuum analyze calls')
	}
	return { shell, nextcloudProof: proofOf(''), url: app.url, pid: app.pid, request, copyLast, query: (statement: string) => client.query<{ count: number }>(statement) }
}

/** Resolves when it has said that it is up. */
async function startApart(environment: Record<string, string>, undo: (() => Promise<unknown>)[]): Promise<{ url: string, pid: number | undefined }> {
	const port = await findFreePort()
	const child = spawn(process.execPath, ['test/bench/serve.ts'], {
		cwd: ROOT,
		env: { PATH: process.env.PATH ?? '', ...environment, APP_HOST: '127.0.0.1', APP_PORT: String(port) },
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	undo.push(async () => {
		const ended = once(child, 'exit')
		child.kill('SIGTERM')
		await ended
	})
	const lines = createInterface({ input: child.stdout })
	for await (const line of lines) {
		if (line.includes('SIPCall is up')) {
			break
		}
	}
	child.stdout.resume()
	return { url: `http://127.0.0.1:${port}`, pid: child.pid }
}
