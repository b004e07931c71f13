// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The ExApp as AppAPI has it in its database, and Nextcloud's own calls to it. */

import { request as httpRequest } from 'node:http'
import { gunzipSync } from 'node:zlib'

export const APP_API_VERSION = '32.0.0'
export const USER_AGENT = 'Nextcloud Server Crawler'

export interface ExAppStatus {
	deploy: number
	/** 0 to 100. */
	init: number
	action: string
	type: string
	error: string
	deploy_start_time: number
	init_start_time: number
}

export interface ExAppOptions {
	id: string
	secret: string
	version: string
	/** Where it listens, as in `http://127.0.0.1:23000`. */
	url: string
	isEnabled: boolean
}

export class ExApp {
	readonly id: string
	readonly secret: string
	readonly name = 'SIPCall'
	version: string
	url: string
	isEnabled: boolean
	isRegistered = true
	status: ExAppStatus

	constructor({ id, secret, version, url, isEnabled }: ExAppOptions) {
		this.id = id
		this.secret = secret
		this.version = version
		this.url = url
		this.isEnabled = isEnabled
		this.status = newStatus(isEnabled ? 100 : 0)
	}

	/** The header by which the ExApp knows Nextcloud; an empty user for Nextcloud itself. */
	proof(userId: string): string {
		return Buffer.from(`${userId}:${this.secret}`).toString('base64')
	}
}

export function newStatus(init: number): ExAppStatus {
	const now = Math.floor(Date.now() / 1000)
	return { deploy: 100, init, action: '', type: 'install', error: '', deploy_start_time: now, init_start_time: now }
}

export interface ExAppCall {
	method: 'GET' | 'POST' | 'PUT'
	path: string
	/** `GET /heartbeat` alone comes without any proof. */
	isSigned: boolean
	hasLanguage: boolean
	body?: unknown
	timeoutMs?: number
}

export interface ExAppAnswer {
	status: number
	body: string
}

/**
 * One call from a console or in the background, with the headers in the recorded order.
 *
 * @throws when there is no answer
 */
export async function callExApp(exApp: ExApp, { method, path, isSigned, hasLanguage, body, timeoutMs }: ExAppCall): Promise<ExAppAnswer> {
	const target = new URL(exApp.url)
	const content = body === undefined ? '' : JSON.stringify(body)
	const headers: Record<string, string> = {
		Host: target.host,
		...(isSigned
			? {
					...(body === undefined ? { 'Content-Length': '0' } : { 'Content-Type': 'application/json' }),
					'AA-VERSION': APP_API_VERSION,
					'EX-APP-ID': exApp.id,
					'EX-APP-VERSION': exApp.version,
					'AUTHORIZATION-APP-API': exApp.proof(''),
					'AA-REQUEST-ID': 'CLI',
				}
			: { Accept: 'application/json', 'Content-Type': 'application/json' }),
		...(hasLanguage ? { 'Accept-Language': 'en' } : {}),
		'User-Agent': USER_AGENT,
		'Accept-Encoding': 'gzip',
		...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(content)) }),
	}
	return new Promise((resolve, reject) => {
		const outgoing = httpRequest({
			hostname: target.hostname,
			port: target.port,
			method,
			path,
			headers,
			agent: false,
			...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
		}, (incoming) => {
			const chunks: Buffer[] = []
			incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
			incoming.on('error', reject)
			incoming.on('end', () => {
				const whole = Buffer.concat(chunks)
				resolve({
					status: incoming.statusCode ?? 0,
					body: (incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole).toString('utf8'),
				})
			})
		})
		outgoing.removeHeader('Connection')
		outgoing.on('error', reject)
		outgoing.end(content)
	})
}
