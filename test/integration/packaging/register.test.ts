// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { findFreePort } from '../../support/free-port.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Writes down what it was asked; registering it answers as AppAPI does, after a look at the running server. */
const OCC = `#!/bin/sh
printf '%s\\n' "$*" >> "$(dirname "$0")/asked"
case "$1" in
	app_api:app:register) echo 'ExApp sipcall successfully registered.' ;;
	app_api:app:unregister) exit 3 ;;
esac
`

describe('make register', () => {
	let folder: string
	let environment: Record<string, string>

	beforeEach(async () => {
		folder = await mkdtemp(path.join(tmpdir(), 'sipcall-register-'))
		await writeFile(path.join(folder, 'occ'), OCC)
		await chmod(path.join(folder, 'occ'), 0o755)
		environment = {
			PATH: process.env.PATH ?? '',
			OCC: `env NOTHING= ${folder}/occ`,
			NEXTCLOUD_URL: 'http://127.0.0.1:1',
			PORT: String(await findFreePort()),
			APP_PERSISTENT_STORAGE: folder,
			DATABASE_URL: inject('databaseUrl').replace(/\/[^/]*$/, '/there_is_no_such_database'),
		}
	})

	afterEach(() => rm(folder, { recursive: true, force: true }))

	function start(extra: Record<string, string>) {
		const child = spawn(process.execPath, ['scripts/register.ts'], { cwd: ROOT, env: { ...environment, ...extra }, stdio: ['ignore', 'pipe', 'pipe'] })
		let output = ''
		child.stderr.on('data', (chunk: Buffer) => {
			output += chunk.toString()
		})
		child.stdout.on('data', (chunk: Buffer) => {
			output += chunk.toString()
		})
		const exited = once(child, 'close').then(([code]) => code as number | null)
		return { child, exited, output: () => output }
	}

	it('says what it needs', async () => {
		const run = start({ OCC: '' })
		expect(await run.exited).toBe(2)
		expect(run.output()).toContain('make register OCC=')
	})

	it('registers the running server with the manifest’s routes and a new secret, and takes it out again when asked', async () => {
		const run = start({ UNREGISTER: '1' })
		while (!run.output().includes('until Ctrl-C')) {
			await Promise.race([once(run.child.stdout, 'data'), run.exited.then((code) => Promise.reject(new Error(`Ended with ${code}: ${run.output()}`)))])
		}
		run.child.kill('SIGINT')
		expect(await run.exited).toBe(0)
		const asked = (await readFile(path.join(folder, 'asked'), 'utf8')).trim().split('\n')
		expect(asked[0]).toBe('app_api:daemon:list')
		expect(asked[1]).toBe('app_api:daemon:register manual_install Manual install manual-install http 127.0.0.1 http://127.0.0.1:1')
		expect(asked[2]).toBe('app_api:app:unregister sipcall --silent --force')
		expect(asked[3]).toMatch(/^app_api:app:register sipcall manual_install --wait-finish --json-info \{/)
		expect(asked[4]).toBe('app_api:app:unregister sipcall --silent --force')
		const info = JSON.parse(asked[3]?.slice(asked[3].indexOf('{')) ?? '') as { secret: string, port: number, routes: unknown[] }
		expect(info.port).toBe(Number(environment.PORT))
		expect(info.secret).toMatch(/^[0-9a-f]{96}$/)
		expect(run.output()).not.toContain(info.secret)
		expect(info.routes).toContainEqual(expect.objectContaining({ url: '^\\/?admin\\/config$', verb: 'GET,POST', access_level: 2, bruteforce_protection: [] }))
	})

	it('ends with the server, when that cannot start', async () => {
		const run = start({ LOG_LEVEL: 'loud' })
		expect(await run.exited).toBe(1)
		expect(run.output()).toContain('LOG_LEVEL')
		expect(run.output()).toContain('was not registered')
	})
})
