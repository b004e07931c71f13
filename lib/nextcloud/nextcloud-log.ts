// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Warnings and errors in Nextcloud's own log, where its administrators look: a few a minute, and never what goes wrong on
// the way there.

import type { LogFields, Logger } from '../logger.ts'
import type { OcsClient } from './ocs-client.ts'

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { redact } from '../logger.ts'

type Told = 'warn' | 'error'

/** Nextcloud's (`ILogger`), as AppAPI takes them. */
const LEVELS: Readonly<Record<Told, number>> = { warn: 2, error: 3 }
const PATH = '/apps/app_api/api/v1/log'
const WINDOW_SEC = 60
const MOST_LINES = 10
/** The same line again within the window says nothing new. */
const MOST_ALIKE = 1
const MOST_CHARACTERS = 2_000
/** What a reader of Nextcloud's log needs to find the line in the container's. */
const SHOWN_FIELDS = ['component', 'code', 'requestId', 'callUuid'] as const

export class NextcloudLog {
	readonly #ocs: Pick<OcsClient, 'request' | 'isRefused'>
	readonly #isOpen: () => boolean
	readonly #lines = new RateLimiterMemory({ points: MOST_LINES, duration: WINDOW_SEC })
	readonly #alike = new RateLimiterMemory({ points: MOST_ALIKE, duration: WINDOW_SEC })
	/** Since the last line that was sent. */
	#leftOut = 0

	/**
	 * @param ocs the way to Nextcloud
	 * @param isOpen whether Nextcloud takes lines: it refuses those of an app that is disabled, as if its secret were wrong
	 */
	constructor(ocs: Pick<OcsClient, 'request' | 'isRefused'>, isOpen: () => boolean) {
		this.#ocs = ocs
		this.#isOpen = isOpen
	}

	/** Never rejects: what cannot be told stands in the container's log. */
	async tell(level: Told, message: string, fields: LogFields): Promise<void> {
		// Another refused question would bring Nextcloud nearer to locking this address out.
		if (!this.#isOpen() || this.#ocs.isRefused || !await isWithin(this.#alike, `${level} ${message}`) || !await isWithin(this.#lines, 'all')) {
			this.#leftOut++
			return
		}
		const more = this.#leftOut === 0 ? '' : ` (${this.#leftOut} lines more stand in the log of SIPCall’s container)`
		this.#leftOut = 0
		await this.#ocs.request({ method: 'POST', path: PATH, body: { level: LEVELS[level], message: `${textOf(message, fields)}${more}` } }).catch(() => {})
	}
}

async function isWithin(limiter: RateLimiterMemory, key: string): Promise<boolean> {
	try {
		await limiter.consume(key)
		return true
	} catch (error) {
		if (error instanceof RateLimiterRes) {
			return false
		}
		throw error
	}
}

function textOf(message: string, fields: LogFields): string {
	const clean = redact({ message, ...fields }) as LogFields
	const shown = SHOWN_FIELDS.flatMap((name) => typeof clean[name] === 'string' ? [`${name} ${clean[name]}`] : [])
	const { error } = clean as { error?: { message?: unknown } }
	const why = typeof error?.message === 'string' ? `: ${error.message}` : ''
	return `${String(clean.message)}${why}${shown.length === 0 ? '' : ` [${shown.join(', ')}]`}`.slice(0, MOST_CHARACTERS)
}

/** A log whose warnings and errors are told to somebody else as well. */
export function tellingLog(log: Logger, tell: (level: Told, message: string, fields: LogFields) => void, standing: LogFields = {}): Logger {
	const also = (level: Told) => (message: string, fields: LogFields = {}) => {
		log[level](message, fields)
		tell(level, message, { ...standing, ...fields })
	}
	return {
		error: also('error'),
		warn: also('warn'),
		info: (message, fields) => log.info(message, fields),
		debug: (message, fields) => log.debug(message, fields),
		child: (fields) => tellingLog(log.child(fields), tell, { ...standing, ...fields }),
	}
}
