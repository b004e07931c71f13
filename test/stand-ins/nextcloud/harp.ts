// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** HaRP's way to an ExApp, `/exapps/<app>/…`: everything streams, and the session alone says who is asking. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExApp } from './ex-app.ts'
import type { ShellUser } from './users.ts'

import { request as httpRequest } from 'node:http'

/** Nextcloud's own calls: nobody reaches them from outside. */
const LIFE_CYCLE = /^(?:heartbeat|init|enabled|setup_checks|occ)(?:\/|$)/i

/** Given anew: the browser cannot say who it is. */
const OWN = new Set(['host', 'connection', 'ex-app-id', 'ex-app-version', 'authorization-app-api', 'aa-version', 'x-origin-ip'])

/**
 * @param request whose body is here already
 * @param path below `/exapps/<app>/`, with its query
 */
export function forwardByHarp({ request, body, path, user, exApp }: { request: IncomingMessage, body: Buffer, path: string, user: ShellUser | undefined, exApp: ExApp }, response: ServerResponse): void {
	if (!exApp.isRegistered || !exApp.isEnabled || LIFE_CYCLE.test(path) || user === undefined) {
		response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 Not Found')
		return
	}
	const target = new URL(exApp.url)
	const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OWN.has(name)))
	const outgoing = httpRequest({
		host: target.hostname,
		port: target.port,
		method: request.method,
		path: `/${path}`,
		headers: { ...headers, 'AA-VERSION': '32', 'EX-APP-ID': exApp.id, 'EX-APP-VERSION': exApp.version, 'AUTHORIZATION-APP-API': exApp.proof(user.id) },
	}, (incoming) => {
		response.writeHead(incoming.statusCode ?? 502, incoming.headers)
		response.flushHeaders()
		incoming.pipe(response)
	})
	outgoing.on('error', () => {
		if (response.headersSent) {
			response.destroy()
		} else {
			response.writeHead(503, { 'Content-Type': 'text/html' }).end()
		}
	})
	response.on('close', () => outgoing.destroy())
	outgoing.end(body)
}
