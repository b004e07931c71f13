// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'

import { readFile, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'

const OWNER_MARK = /^(?:cluster_name=)?sipcall-(\d+)$/
const POLL_MS = 20

/**
 * The mark that a service carries among its arguments: it names the sidecar that started it. A running service whose
 * parent is no longer that process has lost its owner.
 */
export function ownerMark(): string {
	return `sipcall-${process.pid}`
}

export interface LeftoverOptions {
	/** The file in which the service keeps its process id, alone in the first line. */
	pidFile: string
	/** The program's name, as it stands in its command line. */
	program: string
	/** An argument that only the service of this very data folder has. */
	argument: string
	/** Asks for an orderly end. */
	stopSignal: 'SIGINT' | 'SIGTERM'
	/** Milliseconds from the stop signal to SIGKILL. */
	stopTimeoutMs: number
	logger: Logger
}

/**
 * Clears the way after a sidecar that was killed: ends the service that it left running on the same data, waits until
 * it is gone, and removes a process id file whose number now belongs to a stranger. Whether the number in the file
 * still is that service is read from its command line, so a process that merely got the same number is left alone.
 *
 * @throws {SipCallError} storage_unavailable when a living sidecar owns the service, or it cannot be ended
 */
export async function endLeftover(options: LeftoverOptions): Promise<void> {
	const pid = await readPid(options.pidFile)
	if (pid === undefined) {
		return
	}
	const args = await commandLine(pid)
	if (args === undefined) {
		return
	}
	if (basename(args[0] ?? '') !== options.program || !args.includes(options.argument)) {
		// Under the same user, PostgreSQL would take the stranger for its predecessor and refuse to start for ever.
		await rm(options.pidFile, { force: true })
		return
	}
	const owner = args.map((argument) => OWNER_MARK.exec(argument)?.[1]).find((found) => found !== undefined)
	if (owner !== undefined && Number(owner) === await parentOf(pid)) {
		throw new SipCallError('storage_unavailable', `Another SIPCall (process ${owner}) already uses this data folder. Stop it, or give this one a folder of its own.`)
	}
	options.logger.warn(`Ending a ${options.program} that an earlier SIPCall left running`, { pid })
	signal(pid, options.stopSignal)
	if (!await gone(pid, options.stopTimeoutMs)) {
		signal(pid, 'SIGKILL')
		if (!await gone(pid, options.stopTimeoutMs)) {
			throw new SipCallError('storage_unavailable', `The ${options.program} with process id ${pid}, left by an earlier SIPCall, does not end. End it by hand and start SIPCall again.`)
		}
	}
}

async function readPid(file: string): Promise<number | undefined> {
	try {
		const pid = Number.parseInt(await readFile(file, 'utf8'), 10)
		return pid > 1 ? pid : undefined
	} catch {
		return undefined
	}
}

/** Undefined for a process that is gone, and for one that has ended and only waits for its parent to notice. */
async function commandLine(pid: number): Promise<string[] | undefined> {
	try {
		const text = await readFile(`/proc/${pid}/cmdline`, 'utf8')
		return text === '' ? undefined : text.split('\0')
	} catch {
		return undefined
	}
}

async function parentOf(pid: number): Promise<number | undefined> {
	try {
		return Number(/^PPid:\s*(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
	} catch {
		return undefined
	}
}

function signal(pid: number, name: NodeJS.Signals): void {
	try {
		process.kill(pid, name)
	} catch (cause) {
		if (cause instanceof Error && 'code' in cause && cause.code === 'ESRCH') {
			return
		}
		throw new SipCallError('storage_unavailable', `A service with process id ${pid}, left by an earlier SIPCall, belongs to another user and cannot be ended. End it by hand and start SIPCall again.`, { cause })
	}
}

async function gone(pid: number, limitMs: number): Promise<boolean> {
	const until = performance.now() + limitMs
	while (await commandLine(pid) !== undefined) {
		if (performance.now() > until) {
			return false
		}
		// Only a parent hears of an end; for a process that is not ours there is nothing to listen to.
		await delay(POLL_MS)
	}
	return true
}
