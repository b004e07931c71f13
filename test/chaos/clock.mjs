// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Loaded before a replica: its wall clock goes wrong by what a file says, and its disk is full while that says so; a name leads
// it to its own proxy, so that all replicas call a switch by the same name. The replica itself knows nothing of it.

import dns from 'node:dns'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'

const { SIPCALL_CHAOS_FILE: file } = process.env
const LOOK_MS = 50
/** A little less than the product waits for Redis. */
const LONG_MS = 350

let offsetMs = 0
let isDiskFull = false

function look() {
	try {
		const wrong = JSON.parse(fs.readFileSync(file, 'utf8'))
		offsetMs = wrong.offsetMs
		isDiskFull = wrong.isDiskFull
	} catch {
		// Not written yet, or just being written: it stays as it is.
	}
}

let lookedAt = performance.now()

look()
setInterval(() => {
	const stoodMs = performance.now() - lookedAt - LOOK_MS
	lookedAt = performance.now()
	if (stoodMs > LONG_MS) {
		// What was waited for in this time counts as not answered, though it may have been.
		process.stdout.write(`${JSON.stringify({ message: 'chaos: the process stood still', stoodMs: Math.round(stoodMs) })}\n`)
	}
	look()
}, LOOK_MS).unref()

const now = Date.now.bind(Date)
const wrongNow = () => now() + offsetMs

globalThis.Date = new Proxy(Date, {
	construct: (real, given, made) => Reflect.construct(real, given.length === 0 ? [wrongNow()] : given, made === Date ? real : made),
	get: (real, name) => name === 'now' ? wrongNow : Reflect.get(real, name),
})

const hosts = JSON.parse(process.env.SIPCALL_CHAOS_HOSTS ?? '{}')
const { lookup } = dns

dns.lookup = (name, ...rest) => {
	const address = hosts[name]
	if (address === undefined) {
		return lookup(name, ...rest)
	}
	const [options] = rest
	process.nextTick(rest.at(-1), null, ...(options?.all === true ? [[{ address, family: 4 }]] : [address, 4]))
}

/** Where events wait while PostgreSQL is away. */
const isSpool = (path) => isDiskFull && typeof path === 'string' && path.includes('/spool')

function noSpace() {
	return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28, syscall: 'write' })
}

for (const name of ['writeFile', 'appendFile', 'open']) {
	const real = fs.promises[name]
	fs.promises[name] = async (path, ...rest) => {
		if (isSpool(path) && !(name === 'open' && (rest[0] ?? 'r') === 'r')) {
			throw noSpace()
		}
		const result = await real(path, ...rest)
		if (name === 'open' && String(path).includes('/spool')) {
			for (const write of ['write', 'writev', 'writeFile', 'appendFile', 'sync', 'datasync']) {
				const whole = result[write].bind(result)
				result[write] = async (...args) => {
					if (isDiskFull) {
						throw noSpace()
					}
					return whole(...args)
				}
			}
		}
		return result
	}
}
const paths = new Map()
const { openSync, closeSync } = fs
fs.openSync = (path, ...rest) => {
	const handle = openSync(path, ...rest)
	if (String(path).includes('/spool')) {
		paths.set(handle, String(path))
	}
	return handle
}
fs.closeSync = (handle) => {
	paths.delete(handle)
	closeSync(handle)
}
for (const name of ['writeFileSync', 'appendFileSync', 'writeSync']) {
	const real = fs[name]
	fs[name] = (to, ...rest) => {
		if (isSpool(to) || (isDiskFull && paths.has(to))) {
			throw noSpace()
		}
		return real(to, ...rest)
	}
}
syncBuiltinESMExports()
