// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { RequestListener } from 'node:http'

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../../../ex_app/container/healthcheck.sh', import.meta.url))

async function check(environment: Record<string, string>): Promise<{ status: number | null, output: string }> {
	const child = spawn(SCRIPT, { env: { PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, ...environment } })
	let output = ''
	child.stderr.on('data', (chunk: Buffer) => {
		output += chunk.toString()
	})
	const [status] = await once(child, 'close') as [number | null]
	return { status, output }
}

describe('the health check', () => {
	const undo: (() => Promise<unknown> | void)[] = []

	afterEach(async () => {
		for (const step of undo.splice(0).toReversed()) {
			await step()
		}
	})

	async function serve(listener: RequestListener, where: string | number, host?: string): Promise<number> {
		const server = createServer(listener)
		server.listen(...(typeof where === 'string' ? [where] : [where, host]) as [number, string])
		await once(server, 'listening')
		undo.push(() => {
			server.closeAllConnections()
			server.close()
		})
		const address = server.address()
		return typeof address === 'object' ? address?.port ?? 0 : 0
	}

	const ok: RequestListener = (request, response) => response.end(request.url === '/heartbeat' ? '{"status":"ok"}' : '')

	it('asks by TCP, also when the server listens on every address', async () => {
		const port = await serve(ok, 0, '127.0.0.1')
		for (const APP_HOST of ['127.0.0.1', '0.0.0.0', '']) {
			expect(await check({ APP_HOST, APP_PORT: String(port) })).toEqual({ status: 0, output: '' })
		}
	})

	it('asks through the socket with a HaRP daemon, whatever the port says', async () => {
		const root = await mkdtemp(path.join(tmpdir(), 'sipcall-health-'))
		undo.push(() => rm(root, { recursive: true, force: true }))
		await mkdir(path.join(root, 'tmp'))
		await serve(ok, path.join(root, 'tmp/exapp.sock'))
		const port = await serve((_request, response) => response.writeHead(500).end(), 0, '127.0.0.1')
		expect(await check({ SIPCALL_ROOT: root, HP_SHARED_KEY: 'key', APP_HOST: '127.0.0.1', APP_PORT: String(port) })).toEqual({ status: 0, output: '' })
	})

	it('fails when nobody listens', async () => {
		const port = await serve(ok, 0, '127.0.0.1')
		await undo.pop()?.()
		expect(await check({ APP_HOST: '127.0.0.1', APP_PORT: String(port) })).toEqual({ status: 1, output: '/heartbeat cannot be reached: ECONNREFUSED\n' })
	})

	it('fails for another status, and for an answer that is not that of a heartbeat', async () => {
		const broken = await serve((_request, response) => response.writeHead(503).end('{"status":"ok"}'), 0, '127.0.0.1')
		expect((await check({ APP_HOST: '127.0.0.1', APP_PORT: String(broken) })).status).toBe(1)
		const stranger = await serve((_request, response) => response.end('<html>It works</html>'), 0, '127.0.0.1')
		expect((await check({ APP_HOST: '127.0.0.1', APP_PORT: String(stranger) })).status).toBe(1)
	})
})
