// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Stands in for a Nextcloud 32 with AppAPI: the page around the app, the PHP proxy and the few OCS calls that an ExApp
 * needs. What it does is what recordings of a real one show. Not modelled: redirects of the ExApp (the real proxy
 * follows them itself), multipart bodies, brute-force protection, the route list of info.xml.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'

import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { isAsset, serveAsset } from './assets.ts'
import { answerOcs } from './ocs.ts'
import { newNonce, renderNotFound, renderPage, securityHeaders } from './page.ts'
import { forward } from './proxy.ts'
import { themeCss } from './theme.ts'

export interface ShellUser {
	id: string
	displayName: string
	groups: string[]
}

export interface NextcloudShellOptions {
	port?: number
	host?: string
	appId: string
	appSecret: string
	appVersion: string
	/** Where the ExApp listens, as in `http://127.0.0.1:23000`. */
	exAppUrl: string
	users?: ShellUser[]
	/** A line that stands above the app on the page, such as that no real phone rings. */
	notice?: string
}

/** One request as Nextcloud received it. */
export interface ShellRequest {
	method: string
	/** Path and query as they stood in the request line. */
	url: string
	headers: IncomingMessage['headers']
	body: string
	/** Which part of Nextcloud answered. */
	part: 'page' | 'asset' | 'proxy' | 'ocs' | 'none'
	/** Who is logged in, or in whose name the ExApp came; empty for nobody. */
	userId: string
	/** 0 until the answer is on its way. */
	status: number
}

export interface NextcloudShell {
	url: string
	requests: readonly ShellRequest[]
	/** Puts Nextcloud into maintenance mode and back: meanwhile every request is answered 503. */
	setAvailable: (isAvailable: boolean) => void
	stop: () => Promise<void>
}

const DEFAULT_USERS: ShellUser[] = [
	{ id: 'demo', displayName: 'Demo user', groups: ['admin', 'sales'] },
	{ id: 'guest', displayName: 'Guest', groups: [] },
]

export async function startNextcloudShell(options: NextcloudShellOptions): Promise<NextcloudShell> {
	const host = options.host ?? '127.0.0.1'
	const users = options.users ?? DEFAULT_USERS
	const requests: ShellRequest[] = []
	let isAvailable = true

	async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const body = await readBody(request)
		const url = new URL(request.url ?? '/', 'http://cloud.invalid')
		const user = actingUser(request, url, users)
		const seen: ShellRequest = {
			method: request.method ?? 'GET',
			url: request.url ?? '/',
			headers: request.headers,
			body: body.toString('utf8'),
			part: 'none',
			userId: user?.id ?? '',
			status: 0,
		}
		requests.push(seen)
		response.on('finish', () => {
			seen.status = response.statusCode
		})
		if (!isAvailable) {
			response.writeHead(503, { 'Content-Type': 'text/html; charset=UTF-8', 'X-Nextcloud-Maintenance-Mode': '1', 'Retry-After': '120' })
			response.end()
			return
		}
		// Nextcloud answers with and without index.php, as its links depend on the web server's rewriting.
		const path = (request.url ?? '/').split('?', 1)[0]?.replace(/^\/index\.php(?=\/)/, '') ?? '/'
		const proxied = `/apps/app_api/proxy/${options.appId}/`
		if (path.startsWith(proxied)) {
			const rest = path.slice(proxied.length)
			if (request.method === 'GET' && user !== undefined && isAsset(rest)) {
				seen.part = 'asset'
				await serveAsset(rest, user, response)
				return
			}
			seen.part = 'proxy'
			await forward({ request, body, path: rest, query: url.searchParams, user, options }, response)
			return
		}
		if (path.startsWith('/ocs/')) {
			seen.part = 'ocs'
			seen.userId = answerOcs(request, path, { options, users }, response)
			return
		}
		seen.part = 'page'
		servePage(request, path, user, response)
	}

	function servePage(request: IncomingMessage, path: string, user: ShellUser | undefined, response: ServerResponse): void {
		const embedded = `/apps/app_api/embedded/${options.appId}/calls`
		if (request.method === 'GET' && path === '/') {
			response.writeHead(302, { Location: `/index.php${embedded}${new URL(request.url ?? '/', 'http://cloud.invalid').search}` })
			response.end()
		} else if (request.method === 'GET' && path === '/core/css/server.css') {
			response.writeHead(200, { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'no-cache' })
			response.end(themeCss)
		} else if (request.method === 'GET' && path === '/csrftoken') {
			response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' })
			response.end(JSON.stringify({ token: randomUUID() }))
		} else if (request.method === 'GET' && (path === embedded || path.startsWith(`${embedded}/`))) {
			const nonce = newNonce()
			if (user === undefined) {
				response.writeHead(401, { 'Content-Type': 'application/json; charset=utf-8' })
				response.end('{"message":"Current user is not logged in"}')
				return
			}
			response.writeHead(200, {
				'Content-Type': 'text/html; charset=UTF-8',
				'Set-Cookie': [`nc_username=${encodeURIComponent(user.id)}; path=/; SameSite=Lax`, 'oc_sessionPassphrase=stand-in; path=/; HttpOnly; SameSite=Lax'],
				...securityHeaders(user, nonce, request.headers.host ?? ''),
			})
			response.end(renderPage({ appId: options.appId, user, nonce, notice: options.notice }))
		} else {
			response.writeHead(404, { 'Content-Type': 'text/html; charset=UTF-8', ...securityHeaders(user, newNonce()) })
			response.end(request.method === 'HEAD' ? undefined : renderNotFound())
		}
	}

	const server = createServer((request, response) => {
		handle(request, response).catch((error: unknown) => {
			// A fault in the stand-in itself must not look like an answer of Nextcloud's.
			response.destroy(error instanceof Error ? error : undefined)
		})
	})
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen(options.port ?? 0, host, resolve)
	})
	const address = server.address()
	const port = typeof address === 'object' && address !== null ? address.port : options.port

	return {
		url: `http://${host}:${port}`,
		requests,
		setAvailable(available) {
			isAvailable = available
		},
		async stop() {
			const closed = new Promise<void>((resolve) => {
				server.close(() => resolve())
			})
			server.closeAllConnections()
			await closed
		},
	}
}

/** `?as=` on the page, else the cookie, else the first user; an unknown name is nobody, as after a logout. */
function actingUser(request: IncomingMessage, url: URL, users: readonly ShellUser[]): ShellUser | undefined {
	const as = url.pathname.includes('/proxy/') ? null : url.searchParams.get('as')
	const cookie = /(?:^|;\s*)nc_username=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
	const id = as ?? (cookie === undefined ? users[0]?.id : decodeURIComponent(cookie))
	return users.find((user) => user.id === id)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = []
	for await (const chunk of request) {
		chunks.push(chunk as Buffer)
	}
	return Buffer.concat(chunks)
}
