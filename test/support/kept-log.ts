// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The logs of all sidecars of a test run, at their most talkative, and what must not stand in them: the numbers, notes and
// secrets that the same run has given them. They are compared at its end (global-setup.ts).

import type { Logger } from '../../lib/logger.ts'

import { appendFileSync, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { createLogger } from '../../lib/logger.ts'
import { indexOf, search } from './spellings.ts'

/** Names the folder to the run's workers; not set outside of a run. */
const FOLDER = 'SIPCALL_KEPT_LOGS'
const PRIVATE = 'private.jsonl'
/** Shorter ones stand somewhere by chance. */
const LEAST_DIGITS = 8
const LEAST_CHARACTERS = 8
/** Fields of requests whose text is somebody's own, or a secret. */
const PRIVATE_FIELDS = /^(?:note|reason|label|tags|password|apiKey|secret|clientSecret|metricsToken|cdrSecret|code)$/
const SECRET_VARIABLE = /SECRET|PASSWORD|_KEY/

let log: Logger | undefined
const known = new Set<string>()

/** Before anything is logged. */
export async function keepLogsIn(folder: string): Promise<void> {
	await mkdir(folder, { recursive: true })
	process.env[FOLDER] = folder
}

/** A log whose lines are kept; without a run, of nobody. */
export function keptLog(): Logger {
	const folder = process.env[FOLDER]
	if (folder === undefined) {
		return createLogger({ level: 'error', silent: true })
	}
	log ??= createLogger({ level: 'debug', to: createWriteStream(join(folder, `${process.pid}.log`), { flags: 'a' }) })
	return log
}

/** What a process of its own has printed. */
export function keepOutput(text: string | Buffer): void {
	const folder = process.env[FOLDER]
	if (folder !== undefined) {
		appendFileSync(join(folder, `${process.pid}-output.log`), text)
	}
}

/** Whatever of a request's body no log may hold. */
export function keepPrivate(body: unknown, field = ''): void {
	if (typeof body === 'string') {
		const digits = body.replaceAll(/\D/g, '')
		const isNumber = digits.length >= LEAST_DIGITS && /^[+\d\s()/.-]+$/.test(body)
		if (isNumber || (PRIVATE_FIELDS.test(field) && body.length >= LEAST_CHARACTERS)) {
			note(body)
		}
	} else if (body !== null && typeof body === 'object') {
		Object.entries(body).forEach(([name, value]) => keepPrivate(value, Array.isArray(body) ? field : name))
	}
}

/** The secrets of a sidecar's environment. */
export function keepSecrets(environment: Readonly<Record<string, string>>): void {
	Object.entries(environment).forEach(([name, value]) => SECRET_VARIABLE.test(name) && value.length >= LEAST_CHARACTERS && note(value))
}

function note(text: string): void {
	const folder = process.env[FOLDER]
	if (folder !== undefined && !known.has(text)) {
		known.add(text)
		appendFileSync(join(folder, `${process.pid}-${PRIVATE}`), `${JSON.stringify(text)}\n`)
	}
}

/** What stands in a log and must not, each with the file; empty is good. */
export async function findPrivate(folder: string): Promise<{ found: string[], bytes: number, sought: number }> {
	const names = await readdir(folder)
	const read = (name: string) => readFile(join(folder, name))
	const texts = new Set<string>()
	for (const name of names.filter((one) => one.endsWith(PRIVATE))) {
		(await read(name)).toString().split('\n').filter((line) => line !== '').forEach((line) => texts.add(JSON.parse(line) as string))
	}
	const index = indexOf(Object.fromEntries([...texts].map((text) => [text, spellingsOf(text)])))
	const [found, files] = [new Set<string>(), names.filter((name) => name.endsWith('.log'))]
	let bytes = 0
	for (const name of files) {
		const content = await read(name)
		bytes += content.length
		search(content, index).forEach((what) => found.add(what))
		for (const [what, pattern] of TOKENS) {
			const match = pattern.exec(content.toString('latin1'))
			if (match !== null) {
				found.add(`${what} as ${match[0].slice(0, 40)}`)
			}
		}
	}
	return { found: [...found], bytes, sought: texts.size }
}

/** Whatever they are, they open something. */
const TOKENS = [
	['an access token', /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/],
	['a header with a token', /(?:bearer|basic) [\w+/=.-]{16,}/i],
] as const

function spellingsOf(text: string): Buffer[] {
	const digits = text.replaceAll(/\D/g, '')
	const isNumber = /^[+\d\s()/.-]+$/.test(text)
	return [text, encodeURIComponent(text), ...isNumber && digits.length >= LEAST_DIGITS ? [digits] : [Buffer.from(text).toString('base64').replaceAll('=', '')]].map((spelling) => Buffer.from(spelling))
}
