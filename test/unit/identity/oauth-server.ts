// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Nextcloud's token endpoint and the two OCS calls, answering as recordings/nextcloud/19-oauth2.http has them.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

export const CLIENT = { id: '5reNXAkGcqyEklmt6QMt', secret: '00fE24aafR1qwFCO:kHd/+ä' }
export const ACCESS_TOKEN = 'byXlNv8bl8B8LlXU9DfQxU40fFVQQ1Ef2LcxXIwsJQqKkjKTJ8m4Ex42T4yGrJvUycYFJw3Z'
export const REFRESH_TOKEN = 'k4WFcLiyu17Vl2b6p7AHqebVFElMueJsIe1YPJgO0OM95d6f63prbF7RkIHIiTAYZsVhsRxW'

export interface SeenRequest {
	line: string
	headers: IncomingMessage['headers']
	body: string
}

type Answer = (response: ServerResponse) => void

export class OAuthServer {
	readonly requests: SeenRequest[] = []
	/** Good codes; each serves once. */
	readonly codes = new Set<string>()
	/** By `METHOD /path`: answers that take the place of the usual ones. */
	readonly instead = new Map<string, Answer>()
	user: Record<string, unknown> = { enabled: true, id: 'alice', displayname: 'Alice Example', 'display-name': 'Alice Example', groups: ['sales'], language: 'en' }
	isTokenGood = false
	readonly #server = createServer((request, response) => void this.#answer(request, response))

	static async start(): Promise<OAuthServer> {
		const server = new OAuthServer()
		server.#server.listen(0, '127.0.0.1')
		await once(server.#server, 'listening')
		return server
	}

	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
	}

	get lines(): string[] {
		return this.requests.map(({ line }) => line)
	}

	async stop(): Promise<void> {
		this.#server.close()
		this.#server.closeAllConnections()
		await once(this.#server, 'close')
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const line = `${request.method} ${request.url?.replace('?format=json', '')}`
		const body = await text(request)
		this.requests.push({ line, headers: request.headers, body })
		const instead = this.instead.get(line)
		if (instead !== undefined) {
			instead(response)
			return
		}
		const mayOcs = this.isTokenGood && request.headers.authorization === `Bearer ${ACCESS_TOKEN}` && request.headers['ocs-apirequest'] === 'true'
		switch (line) {
			case 'POST /index.php/apps/oauth2/api/v1/token':
				this.#token(new URLSearchParams(body), response)
				return
			case 'GET /ocs/v2.php/cloud/user':
				json(mayOcs ? 200 : 401, mayOcs ? ocs(this.user) : ocs([], 997))(response)
				return
			case 'DELETE /ocs/v2.php/core/apppassword':
				json(mayOcs ? 200 : 401, mayOcs ? ocs([]) : ocs([], 997))(response)
				this.isTokenGood = false
				return
			default:
				html(404)(response)
		}
	}

	#token(values: URLSearchParams, response: ServerResponse): void {
		const code = values.get('code') ?? ''
		if (values.get('grant_type') !== 'authorization_code') {
			json(400, { error: 'invalid_grant' })(response)
		} else if (!this.codes.has(code)) {
			json(400, { error: 'invalid_request' })(response)
		} else if (!values.has('client_secret')) {
			html(500)(response)
		} else if (values.get('client_id') !== CLIENT.id || values.get('client_secret') !== CLIENT.secret) {
			json(400, { error: 'invalid_client' })(response)
		} else {
			this.codes.delete(code)
			this.isTokenGood = true
			json(200, { access_token: ACCESS_TOKEN, token_type: 'Bearer', expires_in: 3600, refresh_token: REFRESH_TOKEN, user_id: 'alice' })(response)
		}
	}
}

export function json(status: number, body: unknown): Answer {
	return (response) => {
		response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
	}
}

export function html(status: number, headers: Record<string, string> = {}): Answer {
	return (response) => {
		response.writeHead(status, { 'Content-Type': 'text/html; charset=UTF-8', ...headers }).end('<!DOCTYPE html><html><head><title>Nextcloud</title></head></html>')
	}
}

export function ocs(data: unknown, statuscode = 200): unknown {
	return { ocs: { meta: { status: statuscode === 200 ? 'ok' : 'failure', statuscode, message: '' }, data } }
}
