// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Requests to one replica, as Nextcloud's proxy would sign them for a user.

import { setTimeout as delay } from 'node:timers/promises'

export interface Answer<Body = Record<string, unknown>> {
	/** 0: no answer came. */
	status: number
	body: Body
	text: string
}

const TIMEOUT_MS = 12_000

export class Client {
	readonly #url: string
	readonly #secret: string

	constructor(url: string, secret: string) {
		this.#url = url
		this.#secret = secret
	}

	/** Never rejects. */
	async request<Body = Record<string, unknown>>(userId: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
		try {
			const response = await fetch(`${this.#url}${path}`, {
				method,
				headers: {
					'EX-APP-ID': 'sipcall',
					'EX-APP-VERSION': '0.1.0',
					'AUTHORIZATION-APP-API': Buffer.from(`${userId}:${this.#secret}`).toString('base64'),
					'X-Requested-With': 'XMLHttpRequest',
					...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
					...headers,
				},
				...(body === undefined ? {} : { body: JSON.stringify(body) }),
				signal: AbortSignal.timeout(TIMEOUT_MS),
			})
			const text = await response.text()
			return { status: response.status, body: (text.startsWith('{') ? JSON.parse(text) : {}) as Body, text }
		} catch (error) {
			return { status: 0, body: {} as Body, text: error instanceof Error ? `${error.message}: ${String(error.cause ?? '')}` : String(error) }
		}
	}

	/** For what is prepared while everything is well. */
	async must(userId: string, method: string, path: string, body?: unknown): Promise<void> {
		await this.until(userId, method, path, body, ({ status }) => status === 200, 60_000)
	}

	async until<Body = Record<string, unknown>>(userId: string, method: string, path: string, body: unknown, isGood: (answer: Answer<Body>) => boolean, limitMs: number): Promise<Answer<Body>> {
		const since = performance.now()
		for (;;) {
			const answer = await this.request<Body>(userId, method, path, body)
			if (isGood(answer)) {
				return answer
			}
			if (performance.now() - since > limitMs) {
				throw new Error(`${method} ${path} for ${userId} was answered by ${answer.status} ${answer.text.slice(0, 300)}`)
			}
			await delay(100)
		}
	}
}
