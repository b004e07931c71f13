// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `make run`: the real sidecar, as `npm start` starts it, beneath a stand-in for Nextcloud. Without FREESWITCH_HOST a
// scripted switch plays the calls and no phone rings; with it, real phones do.

import type { HeardBeeps, ScriptedFreeSwitch } from './freeswitch/index.ts'

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findBlockedFolder, findServiceUser } from '../../lib/embedded/unprivileged-user.ts'
import { HUMAN_PACE, startScriptedFreeSwitch } from './freeswitch/index.ts'
import { startNextcloudShell } from './nextcloud/nextcloud-shell.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DEMO_NOTICE = 'Demo: no real phone rings'
const DEMO_PASSWORD = 'demo'
const READY_TRIES = 300

/** Numbers to try, with what the scripted switch plays for them; the whole table stands in freeswitch/stories.ts. */
const DEMO_NUMBERS = [
	['030 123400', 'answered; talk until you hang up'],
	['030 123401', 'answered, and the other side hangs up after 20 seconds'],
	['030 123417', 'busy'],
	['030 123419', 'nobody picks up'],
	['030 123421', 'declined'],
	['030 123404', 'no such number'],
	['030 123409', 'the line is down'],
] as const

function say(line = ''): void {
	process.stdout.write(`${line}\n`)
}

async function freePort(wished: number): Promise<number> {
	for (const port of [wished, 0]) {
		const server = createServer()
		const bound = await new Promise<number | undefined>((resolve) => {
			server.once('error', () => resolve(undefined))
			server.listen(port, '127.0.0.1', () => {
				const address = server.address()
				resolve(typeof address === 'object' ? address?.port : undefined)
			})
		})
		server.close()
		if (bound !== undefined) {
			return bound
		}
	}
	throw new Error('No free port on 127.0.0.1')
}

/** `.data` beside the code, or a folder of the system's where the embedded PostgreSQL's user may not enter that. */
async function dataFolder(): Promise<string> {
	const beside = path.join(ROOT, '.data')
	const user = await findServiceUser()
	const isBlocked = user.switched && await findBlockedFolder(ROOT, user) !== undefined
	const folder = isBlocked ? path.join(tmpdir(), `sipcall-data-${process.getuid?.() ?? 0}`) : beside
	await mkdir(folder, { recursive: true, mode: 0o711 })
	return folder
}

async function request(url: string, method: string, body?: unknown): Promise<Record<string, unknown>> {
	const response = await fetch(url, {
		method,
		headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest' },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	})
	if (!response.ok) {
		throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
	}
	return await response.json() as Record<string, unknown>
}

/** The sidecar starts closed: nobody may call until an admin has said who and where. For a first look, the demo user may. */
async function openForDemo(api: string): Promise<void> {
	for (let tries = 0; tries < READY_TRIES; tries++) {
		const status = await fetch(`${api}/me`).then((response) => response.status, () => 0)
		if (status === 200) {
			break
		}
		await delay(100)
	}
	const { source } = await request(`${api}/admin/config`, 'GET') as { source: Record<string, string> }
	// What is asked for on the command line holds, whatever an earlier run has left; the demo's own country is a default.
	const wished = {
		...(process.env.HOME_COUNTRY === undefined ? {} : { homeCountry: process.env.HOME_COUNTRY }),
		...(process.env.GATEWAYS === undefined ? {} : { gateways: process.env.GATEWAYS.split(',') }),
	}
	const settings = source.homeCountry === 'default' ? { homeCountry: 'DE', ...wished } : wished
	if (Object.keys(settings).length > 0) {
		await request(`${api}/admin/config`, 'POST', settings)
	}
}

const real = process.env.FREESWITCH_HOST !== undefined && process.env.FREESWITCH_HOST !== ''
// Nobody holds a scripted phone to an ear: the code that it is called with is told here.
const tellCode = ({ number, texts }: HeardBeeps) => say(`  The phone ${number} hears ${texts[0] ?? ''}`)
const freeSwitch: ScriptedFreeSwitch | undefined = real ? undefined : await startScriptedFreeSwitch({ pace: HUMAN_PACE, password: DEMO_PASSWORD, onHeard: tellCode })
const secret = randomBytes(32).toString('hex')
const sidecarPort = await freePort(23000)
const shell = await startNextcloudShell({
	appId: 'sipcall',
	appSecret: secret,
	appVersion: '0.1.0',
	exAppUrl: `http://127.0.0.1:${sidecarPort}`,
	port: await freePort(Number(process.env.PORT ?? 8080)),
	...(real ? {} : { notice: DEMO_NOTICE }),
})

const sidecar = spawn(process.execPath, ['lib/main.ts'], {
	cwd: ROOT,
	stdio: 'inherit',
	// Its own group: Ctrl-C reaches this process alone, which then stops the sidecar in good order.
	detached: true,
	env: {
		...process.env,
		APP_ID: 'sipcall',
		APP_SECRET: secret,
		APP_HOST: '127.0.0.1',
		APP_PORT: String(sidecarPort),
		APP_PERSISTENT_STORAGE: await dataFolder(),
		NEXTCLOUD_URL: shell.url,
		LOG_FORMAT: process.env.LOG_FORMAT ?? 'pretty',
		LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
		...(freeSwitch === undefined ? {} : { FREESWITCH_HOST: freeSwitch.host, FREESWITCH_PORT: String(freeSwitch.port), FREESWITCH_PASSWORD: DEMO_PASSWORD }),
	},
})
const ended = once(sidecar, 'exit') as Promise<[code: number | null]>
const stop = () => sidecar.kill('SIGTERM')
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
process.on('exit', stop)

const opened = openForDemo(`${shell.url}/index.php/apps/app_api/proxy/sipcall`).then(() => {
	say()
	say(`  SIPCall is at ${shell.url}`)
	say()
	if (real) {
		say(`  Calls go through the FreeSWITCH at ${process.env.FREESWITCH_HOST}: REAL PHONES RING, and calls may cost money.`)
		say('  Add your phone on the page by its extension, then type a number and call it.')
	} else {
		say('  A scripted switch plays the calls: NO REAL PHONE RINGS. Add a phone with any extension (1000), then call:')
		for (const [number, story] of DEMO_NUMBERS) {
			say(`    ${number}   ${story}`)
		}
		say('  A phone number as your own phone is called with a code, which is then shown here.')
		say('  To ring real phones: FREESWITCH_HOST=… FREESWITCH_PASSWORD=… GATEWAYS=mytrunk HOME_COUNTRY=DE make run')
	}
	say('  Stop with Ctrl-C.')
	say()
})
opened.catch((error: unknown) => {
	say(`The demo could not be set up: ${error instanceof Error ? error.message : String(error)}`)
	stop()
})

const [code] = await ended
await shell.stop()
await freeSwitch?.stop()
process.exit(code ?? 1)
