// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `make register`: runs the server here, in the foreground, and registers it as a manual install in a Nextcloud on this
// or another machine. For development; the secret is new each time and stands on occ's command line for a moment.

import type { ChildProcess } from 'node:child_process'

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { jsonInfo, readManifest } from './manifest.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const HEARTBEAT_POLL_MS = 100
const DAEMON = 'manual_install'

const { OCC = '', NEXTCLOUD_URL = '', PORT = '9031', SIPCALL_HOST = '127.0.0.1', UNREGISTER = '' } = process.env
const port = Number(PORT)
if (OCC === '' || !URL.canParse(NEXTCLOUD_URL) || !(port >= 1 && port <= 65535)) {
	process.stderr.write('Say how occ is called and where Nextcloud is:\n'
		+ '  make register OCC="sudo -u www-data php /var/www/nextcloud/occ" NEXTCLOUD_URL=http://127.0.0.1\n'
		+ 'Optional: PORT=9031 · SIPCALL_HOST=<this machine, as Nextcloud reaches it> · UNREGISTER=1 (take it out again on Ctrl-C)\n')
	process.exit(2)
}

/** Runs occ, which may be several words, with arguments that no shell reads. */
async function occ(...args: string[]): Promise<{ code: number, output: string }> {
	const child = spawn('sh', ['-c', `${OCC} "$@"`, 'occ', ...args], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
	let output = ''
	child.stdout.on('data', (chunk: Buffer) => {
		output += chunk.toString()
	})
	const [code] = await once(child, 'close') as [number | null]
	return { code: code ?? 1, output }
}

const manifest = readManifest(readFileSync(path.join(ROOT, 'appinfo/info.xml'), 'utf8'))
const secret = randomBytes(48).toString('hex')
const storage = path.join(ROOT, '.data/register')
mkdirSync(storage, { recursive: true })

const server: ChildProcess = spawn(process.execPath, ['lib/main.ts'], {
	cwd: ROOT,
	stdio: ['ignore', 'inherit', 'inherit'],
	// A Ctrl-C reaches the whole group of a terminal; the server is to be told by us, when we are done with occ.
	detached: true,
	env: {
		LOG_FORMAT: 'pretty',
		APP_PERSISTENT_STORAGE: storage,
		...process.env,
		APP_ID: manifest.id,
		APP_VERSION: manifest.version,
		APP_SECRET: secret,
		APP_HOST: SIPCALL_HOST === '127.0.0.1' ? SIPCALL_HOST : '0.0.0.0',
		APP_PORT: PORT,
		AA_VERSION: 'manual',
		NEXTCLOUD_URL,
	},
})
const ended = once(server, 'exit').then(([code]) => code as number | null)
const stopped = new Promise<void>((resolve) => {
	process.once('SIGINT', () => resolve())
	process.once('SIGTERM', () => resolve())
})
process.once('exit', () => server.kill('SIGTERM'))

async function answersHeartbeat(): Promise<boolean> {
	return fetch(`http://127.0.0.1:${PORT}/heartbeat`).then(({ ok }) => ok, () => false)
}

/** @return true when the app is in Nextcloud and enabled */
async function register(): Promise<boolean> {
	while (!await answersHeartbeat()) {
		await delay(HEARTBEAT_POLL_MS)
	}
	const daemons = await occ('app_api:daemon:list')
	if (daemons.code !== 0) {
		process.stderr.write('occ does not know app_api:daemon:list. Is AppAPI enabled in this Nextcloud?\n')
		return false
	}
	if (!daemons.output.includes(DAEMON)) {
		await occ('app_api:daemon:register', DAEMON, 'Manual install', 'manual-install', 'http', SIPCALL_HOST, NEXTCLOUD_URL)
	}
	// An earlier registration has an earlier secret.
	await occ('app_api:app:unregister', manifest.id, '--silent', '--force')
	const { code, output } = await occ('app_api:app:register', manifest.id, DAEMON, '--wait-finish', '--json-info', jsonInfo(manifest, { secret, port }))
	process.stdout.write(output)
	return code === 0
}

const registered = await Promise.race([register(), ended.then(() => false), stopped.then(() => undefined)])
if (registered === false) {
	process.stderr.write('SIPCall was not registered.\n')
	process.exitCode = 1
} else {
	if (registered) {
		process.stdout.write(`SIPCall runs for ${NEXTCLOUD_URL} until Ctrl-C.\n`)
		await Promise.race([stopped, ended])
	}
	if (UNREGISTER !== '') {
		await occ('app_api:app:unregister', manifest.id, '--silent', '--force')
	}
}
server.kill('SIGTERM')
await ended
process.exit()
