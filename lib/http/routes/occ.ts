// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Console commands. AppAPI shows an answer's text only when its status is 200 (`ExAppOccService`), so a command that
// fails says so in its text: an admin who sees nothing but "failed" can mend nothing.

import type { LogLevel } from '../../logger.ts'
import type { AuditCheck } from '../../privacy/audit.ts'
import type { KeyState } from '../../privacy/rotation.ts'
import type { Route } from '../route.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { SipCallError } from '../../errors.ts'
import { LOG_LEVELS } from '../../logger.ts'
import { route, TextStream } from '../route.ts'

/** How much of a user's data there is, or was. */
export interface UserDataCounts {
	calls: number
	devices: number
	signIns: number
}

/** What commands work on; not there while SIPCall starts. */
export interface OccTasks {
	countUserData: (userId: string) => Promise<UserDataCounts>
	/** Answers with the receipt as well. */
	purgeUser: (userId: string) => Promise<{ counts: UserDataCounts, receiptId: string }>
	/** Before an export; rejects when it must not begin. */
	noteExport: (userId: string) => Promise<void>
	exportUser: (userId: string) => AsyncIterable<string>
	/** What became of each file of a folder; undefined = it cannot be read. */
	importCdrs: (folder: string) => AsyncIterable<{ name: string, result: 'stored' | 'known' | 'not_ours' | undefined }>
	checkAuditLog: () => AsyncGenerator<number, AuditCheck>
	keyState: () => Promise<KeyState>
	changeKey: () => Promise<KeyState>
}

/** A backup as a line of a list. */
export interface BackupLine {
	name: string
	bytes: number
	/** Whether it can be restored at all. */
	isReadable: boolean
}

/** Works also while everything else is stopped. */
export interface BackupTasks {
	create: () => Promise<BackupLine>
	list: () => Promise<BackupLine[]>
	restore: (name: string, options: { force: boolean }) => Promise<void>
}

export interface OccRoutesOptions {
	backups: BackupTasks
	/** Lines for a person at a console; answers at any time. */
	status: () => Promise<string[]>
	tasks: () => OccTasks | undefined
	setLogLevel: (level: LogLevel) => void
}

const Values = z.record(z.string(), z.unknown()).nullish()
/** As AppAPI sends it: null for a command that has no arguments, or no options. */
const OccInput = z.object({ occ: z.object({ arguments: Values, options: Values }).partial() }).partial().meta({ id: 'OccInput' })

/** A sign of life so often in a long log. */
const PROGRESS_ENTRIES = 10_000

interface Input {
	argument: (name: string) => string
	hasOption: (name: string) => boolean
}

export function occRoutes({ status, tasks, backups, setLogLevel }: OccRoutesOptions): Route[] {
	const running = (): OccTasks => {
		const up = tasks()
		if (up === undefined) {
			throw new SipCallError('storage_unavailable', 'SIPCall is starting. Try again in a few seconds.')
		}
		return up
	}
	return [
		command('/occ/status', 'occ sipcall:status', async function* () {
			yield `${(await status()).join('\n')}\n`
		}),
		command('/occ/log-level', 'occ sipcall:log-level', async function* (input) {
			const wanted = input.argument('level')
			const level = LOG_LEVELS.find((one) => one === wanted)
			if (level === undefined) {
				throw new SipCallError('invalid_request', `“${wanted}” is none of ${LOG_LEVELS.join(', ')}.`)
			}
			setLogLevel(level)
			yield `This server logs ${level} from now on, until it is restarted; LOG_LEVEL says what it begins with.\n`
		}),
		command('/occ/user/purge', 'occ sipcall:user:purge', async function* (input) {
			const userId = input.argument('user')
			if (!input.hasOption('yes')) {
				yield `SIPCall holds ${words(await running().countUserData(userId))} of ${userId}. Add --yes to delete them for good.\n`
				return
			}
			const { counts, receiptId } = await running().purgeUser(userId)
			yield `Deleted ${words(counts)} of ${userId}. Receipt ${receiptId}.\n`
		}),
		command('/occ/backup', 'occ sipcall:backup', async function* (input) {
			if (input.hasOption('list')) {
				const lines = (await backups.list()).map(backupWords)
				yield lines.length === 0 ? 'There is no backup.\n' : `${lines.join('\n')}\n`
				return
			}
			yield 'Making a backup …\n'
			yield `Made ${backupWords(await backups.create())}\n`
		}),
		command('/occ/restore', 'occ sipcall:restore', async function* (input) {
			const name = input.argument('backup')
			yield `Restoring ${name}; SIPCall answers nobody meanwhile …\n`
			await backups.restore(name, { force: input.hasOption('force') })
			yield 'Restored. SIPCall serves again.\n'
		}),
		command('/occ/rotate-keys', 'occ sipcall:rotate-keys', async function* (input) {
			const state = await running().keyState()
			if (input.hasOption('status')) {
				yield `${keyLines(state).join('\n')}\n`
				return
			}
			// What was begun is followed; a key is only made when nothing is left to do for the last one.
			if (!state.isRunning) {
				const { activeKid } = await running().changeKey()
				yield `The key ${activeKid} is active now. The rest goes on by itself, also when this command is ended.\n`
			}
			yield* changeWords(() => running().keyState())
		}),
		command('/occ/export', 'occ sipcall:export', async function* (input) {
			const userId = input.argument('user')
			await running().noteExport(userId)
			yield* running().exportUser(userId)
		}),
		command('/occ/cdr-import', 'occ sipcall:cdr-import', (input) => importWords(running().importCdrs(input.argument('folder')))),
		command('/occ/audit/verify', 'occ sipcall:audit:verify', () => auditWords(running().checkAuditLog())),
	]
}

function command(path: string, summary: string, run: (input: Input) => AsyncIterable<string>): Route {
	return route({
		method: 'post',
		path,
		right: 'nextcloud',
		summary,
		body: OccInput,
		answer: { status: 200, schema: z.string() },
		handle: async ({ body }) => ({ status: 200, body: new TextStream(withFaults(() => run(inputOf(body)))), headers: { 'Content-Type': 'text/plain; charset=utf-8' } }),
	})
}

function inputOf({ occ }: z.output<typeof OccInput>): Input {
	return {
		argument: (name) => {
			const value = occ?.arguments?.[name]
			if (typeof value !== 'string' || value === '') {
				throw new SipCallError('invalid_request', `The argument “${name}” is missing.`)
			}
			return value
		},
		hasOption: (name) => occ?.options?.[name] === true,
	}
}

// The text of a command, and where it fails the reason as its last line.
async function* withFaults(run: () => AsyncIterable<string>): AsyncGenerator<string> {
	try {
		yield* run()
	} catch (error) {
		if (!(error instanceof SipCallError)) {
			throw error
		}
		yield `Error: ${error.message}\n`
	}
}

function words({ calls, devices, signIns }: UserDataCounts): string {
	const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
	return `${counted(calls, 'call', 'calls')}, ${counted(devices, 'phone', 'phones')} and ${counted(signIns, 'sign-in', 'sign-ins')}`
}

async function* auditWords(check: AsyncGenerator<number, AuditCheck>): AsyncGenerator<string> {
	let shown = 0
	for (;;) {
		const { done, value } = await check.next()
		if (done === true) {
			const { entries, hash, dropped, broken } = value
			const inOrder = dropped === undefined ? `All ${entries} entries` : `Entries ${dropped.seq + 1} to ${entries}`
			yield broken === undefined
				? `${inOrder} are in order.${entries === 0 ? '' : ` The seal of the last one begins with ${hash.slice(0, 16)}.`}\n`
				: `Error: The audit log is broken at entry ${broken.seq}. ${broken.why} The ${entries - (dropped?.seq ?? 0)} entries before it are in order.\n`
			if (dropped !== undefined) {
				yield `Entries up to ${dropped.seq} were dropped, the last of them at ${dropped.droppedAt.toISOString()}, since they were older than ${dropped.auditDays} days (retention.auditDays).\n`
			}
			return
		}
		if (value - shown >= PROGRESS_ENTRIES) {
			shown = value
			yield `${value} entries are in order …\n`
		}
	}
}

async function* importWords(files: ReturnType<OccTasks['importCdrs']>): AsyncGenerator<string> {
	const counts = { stored: 0, known: 0, not_ours: 0 }
	let unreadable = 0
	const sum = () => `${counts.stored} taken, ${counts.known} known already, ${counts.not_ours} not of a call in the history, ${unreadable} unreadable.`
	try {
		for await (const { name, result } of files) {
			if (result === undefined) {
				unreadable++
				yield `${name} is no call record that can be read.\n`
			} else {
				counts[result]++
			}
		}
	} catch (error) {
		if (unreadable + counts.stored + counts.known + counts.not_ours > 0) {
			yield `Until then: ${sum()}\n`
		}
		throw error
	}
	yield `Call records: ${sum()} The files stay where they are; importing them again changes nothing.\n`
}

const BAR = 20
const LOOK_MS = 500

// A line for each part of the bar that is done: a console may not know how to draw over a line.
async function* changeWords(look: () => Promise<KeyState>): AsyncGenerator<string> {
	for (let shown = -1; ;) {
		const state = await look()
		const line = barOf(state)
		if (line.done > shown) {
			shown = line.done
			yield `${line.text}\n`
		}
		if (!state.isRunning) {
			yield `${keyLines(state).join('\n')}\n`
			return
		}
		await delay(LOOK_MS)
	}
}

function barOf({ rows: { total, left } }: KeyState): { done: number, text: string } {
	const share = total === 0 ? 1 : (total - left) / total
	const done = Math.floor(BAR * share)
	return { done, text: `[${'#'.repeat(done)}${'-'.repeat(BAR - done)}] ${String(Math.floor(100 * share)).padStart(3)} %  ${total - left} of ${total} rows` }
}

function keyLines(state: KeyState): string[] {
	const { activeKid, activeSince, source, isRunning, rows, unreadable, hasNewer, earlier } = state
	return [
		`The key ${activeKid} is active${activeSince === undefined ? '' : ` since ${activeSince.toISOString()}`}; it comes from ${source === 'volume' ? 'the volume' : 'the environment'}.`,
		...(rows.left === 0 ? [`All ${rows.total} rows are under it.`] : [barOf(state).text, isRunning ? 'The other rows are being brought under it.' : 'The other rows wait.']),
		...(unreadable === 0 ? [] : [`${unreadable} rows cannot be decrypted with any loaded key, and stay as they are.`]),
		...(hasNewer ? ['Another server has started since with another active key: give all servers the same DATABASE_ENCRYPTION_KEY.'] : []),
		...earlier.map(({ kid, isLoaded, rows: count, backups }) => {
			const needs = [...(count === 0 ? [] : [`${count} rows`]), ...backups.map((name) => `the backup ${name}`)]
			return `The earlier key ${kid} ${needs.length === 0 ? 'is not needed any more' : `is still needed for: ${needs.join(', ')}`}${isLoaded ? '.' : '; it is not loaded.'}`
		}),
	]
}

function backupWords({ name, bytes, isReadable }: BackupLine): string {
	return `${name}  ${(bytes / 1_000_000).toFixed(1)} MB${isReadable ? '' : '  damaged: it cannot be restored'}`
}
