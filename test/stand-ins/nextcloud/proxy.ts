// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** AppAPI's PHP proxy: what it adds, passes on, leaves out and changes on the way to an ExApp and back. */

import type { IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import type { ExApp } from './ex-app.ts'
import type { ShellUser } from './users.ts'

import { randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { APP_API_VERSION, USER_AGENT } from './ex-app.ts'
import { newNonce, proxyHeaders, renderNotFound, securityHeaders } from './page.ts'

/** The methods that the proxy's controller has a route for. */
const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE'])

/** Nextcloud's own calls: no manifest declares a route to them, so nobody reaches them from outside. */
const LIFE_CYCLE = /^(?:heartbeat|init|enabled|setup_checks|occ)(?:\/|$)/i

/** The one prefix that the manifest declares PUBLIC: it passes without a login, for clients with a token. */
const PUBLIC = /^api\/v1\//i

/** Hop by hop, or given anew by the proxy. */
const NOT_FORWARDED = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'te', 'upgrade', 'content-length', 'accept-encoding', 'authorization-app-api', 'x-origin-ip', 'user-agent', 'accept-language', 'cookie', 'content-type', 'expect'])

const NOT_RETURNED = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding', 'cache-control', 'content-type', 'date'])

export interface Forwarding {
	request: IncomingMessage
	body: Buffer
	/** Below `/apps/app_api/proxy/<app>/`, still encoded. */
	path: string
	query: URLSearchParams
	user: ShellUser | undefined
	exApp: ExApp
}

export async function forward(forwarding: Forwarding, response: ServerResponse): Promise<void> {
	const { request, path, user, exApp } = forwarding
	const method = request.method ?? 'GET'
	if (method === 'PATCH' || method === 'OPTIONS') {
		response.writeHead(405, { 'Content-Type': 'text/html; charset=UTF-8' }).end()
		return
	}
	const isReachable = exApp.isRegistered && exApp.isEnabled
	if (!isReachable || !METHODS.has(method) || LIFE_CYCLE.test(path) || (user === undefined && !PUBLIC.test(path))) {
		// Every refusal is Nextcloud's own page, also for a client that asked for JSON.
		response.writeHead(404, { 'Content-Type': 'text/html; charset=UTF-8', ...securityHeaders(user, newNonce()) })
		response.end(method === 'HEAD' ? undefined : renderNotFound())
		return
	}
	let answer: Answer
	try {
		answer = await ask(forwarding)
	} catch {
		response.writeHead(500, {
			'Content-Type': 'text/html; charset=UTF-8',
			'Cache-Control': 'no-cache, no-store, must-revalidate',
			...proxyHeaders(user),
		})
		response.end()
		return
	}
	sendBack(answer, user, response)
}

interface Answer {
	incoming: IncomingMessage
	body: Buffer
}

/** The whole answer is read before any of it goes on: nothing streams through PHP. */
function ask(forwarding: Forwarding): Promise<Answer> {
	const target = new URL(forwarding.exApp.url)
	const query = phpQuery(forwarding.query)
	const options: RequestOptions = {
		host: target.hostname,
		port: target.port,
		method: forwarding.request.method ?? 'GET',
		path: `/${phpPath(forwarding.path)}${query === '' ? '' : `?${query}`}`,
		headers: forwardedHeaders(forwarding),
	}
	return new Promise((resolve, reject) => {
		const outgoing = httpRequest(options, (incoming) => {
			const chunks: Buffer[] = []
			incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
			incoming.on('error', reject)
			incoming.on('end', () => resolve({ incoming, body: Buffer.concat(chunks) }))
		})
		outgoing.on('error', reject)
		outgoing.end(forwarding.body)
	})
}

/** A flat list of names and values, since a header that the client sent may stand beside AppAPI's of the same name. */
function forwardedHeaders({ request, body, user, exApp }: Forwarding): string[] {
	const { headers } = request
	const list = ['Host', headers.host ?? 'localhost', 'Connection', 'close']
	for (let i = 0; i < request.rawHeaders.length; i += 2) {
		const name = request.rawHeaders[i] ?? ''
		if (!NOT_FORWARDED.has(name.toLowerCase())) {
			list.push(asPhpWritesIt(name), request.rawHeaders[i + 1] ?? '')
		}
	}
	list.push(
		'Content-Type',
		headers['content-type'] ?? '',
		'x-origin-ip',
		request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '',
		'AA-VERSION',
		APP_API_VERSION,
		'EX-APP-ID',
		exApp.id,
		'EX-APP-VERSION',
		exApp.version,
		'AUTHORIZATION-APP-API',
		exApp.proof(user?.id ?? ''),
		'AA-REQUEST-ID',
		randomBytes(15).toString('base64url'),
		'Accept-Language',
		headers['accept-language'] ?? 'en',
		'User-Agent',
		headers['user-agent'] ?? USER_AGENT,
		'Accept-Encoding',
		'gzip',
	)
	if (headers.cookie !== undefined) {
		list.push('Cookie', headers.cookie)
	}
	if (body.length > 0) {
		list.push('Content-Length', String(body.length))
	}
	return list
}

function sendBack({ incoming, body }: Answer, user: ShellUser | undefined, response: ServerResponse): void {
	const type = incoming.headers['content-type']
	const headers: Record<string, string> = { ...proxyHeaders(user) }
	for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
		const name = incoming.rawHeaders[i] ?? ''
		// Of several headers with one name only the first comes through.
		const isRepeated = incoming.rawHeaders.findIndex((other, at) => at % 2 === 0 && other.toLowerCase() === name.toLowerCase()) < i
		if (!isRepeated && !NOT_RETURNED.has(name.toLowerCase())) {
			const known = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase())
			headers[known ?? name] = incoming.rawHeaders[i + 1] ?? ''
		}
	}
	headers['Content-Type'] = phpContentType(type)
	if (incoming.headers['cache-control'] !== undefined) {
		headers['Cache-Control'] = incoming.headers['cache-control']
	} else if (type === 'application/json') {
		headers['Cache-Control'] = 'no-cache, no-store, must-revalidate'
	} else {
		// The trap of the real proxy: JSON with a charset is kept by the browser for an hour unless the ExApp forbids it.
		headers['Cache-Control'] = 'private, max-age=3600, must-revalidate'
		headers.Expires = new Date(Date.now() + 3_600_000).toUTCString()
	}
	response.writeHead(phpStatus(incoming), headers)
	response.end(incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
}

function phpContentType(type: string | undefined): string {
	if (type === undefined) {
		return 'text/html; charset=UTF-8'
	}
	return /^text\/[^;]*$/.test(type) ? `${type};charset=UTF-8` : type
}

/** `X-CUSTOM` and `x-custom` both arrive as `X-Custom`. */
function asPhpWritesIt(name: string): string {
	return name.toLowerCase().replace(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => dash + letter.toUpperCase())
}

/** Decoded and encoded again, so that `%2F` becomes a slash; dot segments are resolved after that. */
function phpPath(path: string): string {
	const segments: string[] = []
	for (const segment of decodeURIComponent(path).split('/')) {
		if (segment === '..') {
			segments.pop()
		} else if (segment !== '.') {
			segments.push(encodeURIComponent(segment).replace(/%2B/g, '+').replace(/%40/g, '@').replace(/%3A/g, ':'))
		}
	}
	return segments.join('/')
}

/** PHP reads the query into an array and writes it again: dots in names become `_`, list items get their number. */
function phpQuery(query: URLSearchParams): string {
	const counters = new Map<string, number>()
	const written = new Map<string, string>()
	for (const [rawName, value] of query) {
		let name = rawName.replace(/^[^[]*/, (plain) => plain.replace(/[. ]/g, '_'))
		if (name.endsWith('[]')) {
			const list = name.slice(0, -2)
			const index = counters.get(list) ?? 0
			counters.set(list, index + 1)
			name = `${list}[${index}]`
		}
		written.set(name, value)
	}
	return new URLSearchParams([...written]).toString()
}

/** PHP turns any answer with a Location header into a redirect, unless its status is 201 or one already (`header()`). */
function phpStatus({ statusCode = 500, headers }: IncomingMessage): number {
	return headers.location === undefined || statusCode === 201 || (statusCode >= 300 && statusCode < 400) ? statusCode : 302
}
