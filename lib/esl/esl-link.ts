// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Keeps one connection to a switch open: opens the next when one has ended, at a pace that suits the reason.

import type { Logger } from '../logger.ts'
import type { EslEndpoint } from './esl-connection.ts'
import type { WireEvent } from './wire-event.ts'

import { EslConnection } from './esl-connection.ts'
import { EslError } from './esl-error.ts'

export interface EslLinkOptions {
	endpoint: EslEndpoint
	logger: Logger
	/** Runs on each new connection before anybody may use it (subscriptions). A rejection ends that connection. */
	prepare?: (connection: EslConnection) => Promise<void>
	/** Asked before each attempt. When it says no, the link waits until `start` is called again. */
	mayTry?: () => boolean
	/** A harmless command that proves the peer is alive, sent only after `silenceMs` without a byte from it. */
	probe: string
	/** FreeSWITCH sends a HEARTBEAT every 20 s to those who subscribed: longer silence is suspicious. */
	silenceMs?: number
	onEvent?: (event: WireEvent) => void
	onUp?: () => void
	onDown?: (error: EslError) => void
	commandTimeoutMs?: number
	/** 0 (inclusive) … 1 (exclusive), for the jitter. */
	random?: () => number
}

/** After a refused password or address: a person must act, and each attempt fills the switch's log. */
const CONFIGURATION_RETRY_MS = 60_000
const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 30_000
const SILENCE_MS = 25_000
/** A connection that held for this long counts as a success: the next attempt after it comes at once. */
const STEADY_MS = 10_000

/**
 * How long to wait before the next attempt: exponential from 0.2 s to 30 s, with up to half of it taken off by chance
 * so that many sidecars do not come back in step.
 *
 * @param failures attempts that failed since the last success, at least 1
 * @param error why the last one failed
 * @param random 0 … 1
 * @return milliseconds
 */
export function retryDelayMs(failures: number, error: EslError, random: number): number {
	if (error.isConfiguration) {
		return CONFIGURATION_RETRY_MS
	}
	const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20))
	return longest * (1 - random / 2)
}

/** Nothing happens before `start()`, which may be called again at any time; `stop()` is final. */
export class EslLink {
	readonly #options: EslLinkOptions
	readonly #stop = new AbortController()
	#connection: EslConnection | undefined
	#preparing: EslConnection | undefined
	#isTrying = false
	#timer: NodeJS.Timeout | undefined
	#probing: NodeJS.Timeout | undefined
	#failures = 0
	#upSince = 0
	/** Why there is no connection; undefined while there is one or before the first attempt ended. */
	lastError: EslError | undefined

	constructor(options: EslLinkOptions) {
		this.#options = options
	}

	/** The connection that may be used now. */
	get connection(): EslConnection | undefined {
		return this.#connection
	}

	/** Since when there is one, in monotonic milliseconds; undefined while there is none. */
	get upSince(): number | undefined {
		return this.#connection === undefined ? undefined : this.#upSince
	}

	/** Tries at once, unless there is a connection or an attempt under way. */
	start(): void {
		if (this.#stop.signal.aborted || this.#isTrying || this.#connection !== undefined || this.#options.mayTry?.() === false) {
			return
		}
		clearTimeout(this.#timer)
		this.#isTrying = true
		void this.#attempt()
	}

	stop(): void {
		this.#stop.abort()
		clearTimeout(this.#timer)
		clearInterval(this.#probing)
		this.#preparing?.close()
		this.#connection?.close()
		this.#connection = undefined
	}

	/**
	 * Writes one command to the switch, at most once.
	 *
	 * @throws {EslError} see EslConnection.command
	 */
	async command(line: string, headers?: Readonly<Record<string, string>>, timeoutMs?: number): Promise<string> {
		if (this.#connection === undefined) {
			throw new EslError('not_connected', 'There is no connection to FreeSWITCH', { cause: this.lastError })
		}
		return (await this.#connection.command(line, headers, timeoutMs)).text
	}

	async #attempt(): Promise<void> {
		let opened: EslConnection | undefined
		let lost: EslError | undefined
		try {
			opened = await EslConnection.open(this.#options.endpoint, {
				signal: this.#stop.signal,
				...(this.#options.commandTimeoutMs === undefined ? {} : { commandTimeoutMs: this.#options.commandTimeoutMs }),
				onEvent: (event) => this.#options.onEvent?.(event),
				onClose: (error) => {
					lost = error
					if (this.#connection === opened) {
						this.#down(error)
					}
				},
			})
			this.#preparing = opened
			await this.#options.prepare?.(opened)
		} catch (error) {
			opened?.close()
			this.#isTrying = false
			this.#down(error instanceof EslError ? error : new EslError('unreachable', 'The connection could not be prepared', { cause: error }))
			return
		} finally {
			this.#preparing = undefined
		}
		this.#isTrying = false
		if (this.#stop.signal.aborted) {
			opened.close()
			return
		}
		if (lost !== undefined) {
			this.#down(lost)
			return
		}
		this.#connection = opened
		this.#upSince = performance.now()
		this.lastError = undefined
		this.#watch(opened)
		this.#options.logger.info('Connected to FreeSWITCH')
		this.#options.onUp?.()
	}

	#watch(connection: EslConnection): void {
		const silenceMs = this.#options.silenceMs ?? SILENCE_MS
		this.#probing = setInterval(() => {
			if (performance.now() - connection.lastHeardAt >= silenceMs) {
				// A probe without an answer in time closes the connection, which brings #down here.
				connection.command(this.#options.probe).catch((error: unknown) => this.#options.logger.debug('FreeSWITCH is silent', { error }))
			}
		}, Math.max(silenceMs / 5, 10))
		this.#probing.unref()
	}

	#down(error: EslError): void {
		clearInterval(this.#probing)
		const wasUp = this.#connection !== undefined
		this.#connection = undefined
		if (this.#stop.signal.aborted) {
			return
		}
		// A switch that lets us in and drops us at once must not be asked several times a second.
		this.#failures = wasUp && performance.now() - this.#upSince >= STEADY_MS ? 1 : this.#failures + 1
		const delayMs = retryDelayMs(this.#failures, error, (this.#options.random ?? Math.random)())
		if (wasUp || error.code !== this.lastError?.code) {
			this.#options.logger[error.isConfiguration ? 'error' : 'warn'](error.message, { code: error.code, retryInMs: Math.round(delayMs) })
		}
		this.lastError = error
		this.#timer = setTimeout(() => this.start(), delayMs)
		this.#timer.unref()
		if (wasUp) {
			this.#options.onDown?.(error)
		}
	}
}
