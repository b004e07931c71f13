// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { LogFields, Logger, LogLevel } from '../../lib/logger.ts'

export interface LogLine {
	level: LogLevel
	message: string
	fields: LogFields
}

/** A log that keeps its lines, and on which a test can wait for one. Children write into the same list. */
export class RecordedLog implements Logger {
	readonly lines: LogLine[] = []
	readonly #waiting = new Set<() => void>()

	error(message: string, fields: LogFields = {}): void {
		this.#write({ level: 'error', message, fields })
	}

	warn(message: string, fields: LogFields = {}): void {
		this.#write({ level: 'warn', message, fields })
	}

	info(message: string, fields: LogFields = {}): void {
		this.#write({ level: 'info', message, fields })
	}

	debug(message: string, fields: LogFields = {}): void {
		this.#write({ level: 'debug', message, fields })
	}

	child(): Logger {
		return this
	}

	/** Resolves with the first `count` lines of that kind, at once when they have been written already. */
	waitFor(isWanted: (line: LogLine) => boolean, count = 1): Promise<LogLine[]> {
		return new Promise((resolve) => {
			const look = () => {
				const found = this.lines.filter(isWanted)
				if (found.length >= count) {
					this.#waiting.delete(look)
					resolve(found.slice(0, count))
				}
			}
			this.#waiting.add(look)
			look()
		})
	}

	#write(line: LogLine): void {
		this.lines.push(line)
		for (const look of this.#waiting) {
			look()
		}
	}
}
