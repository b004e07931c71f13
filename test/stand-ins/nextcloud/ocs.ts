// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Takes an OCS call to its handler: reads it as PHP would, and asks first who is calling. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Identity } from './identity.ts'
import type { OcsResult } from './ocs-answer.ts'
import type { ShellUser } from './users.ts'

import { appApiRefused, internalError, lockedOut, noSuchRoute, notLoggedIn, sendOcs } from './ocs-answer.ts'

export interface OcsCall {
	/** Query and body together; the body wins. */
	body: Readonly<Record<string, unknown>>
	query: URLSearchParams
	/** From the `{}` of the path. */
	parameters: Readonly<Record<string, string>>
	/** In whose name; undefined for nobody. */
	user: ShellUser | undefined
	/** As the caller addressed this Nextcloud, without a slash at the end. */
	origin: string
	/** The token of OAuth2 that came along; empty for none. */
	bearer: string
}

export interface OcsRoute {
	method: 'GET' | 'POST' | 'PUT' | 'DELETE'
	/** Below `/ocs/v1.php` or `/ocs/v2.php`; `{name}` takes one segment. */
	path: string
	asks: 'exApp' | 'user' | 'nothing'
	handle: (call: OcsCall) => OcsResult | Promise<OcsResult>
}

export interface OcsRequest {
	request: IncomingMessage
	/** Without the query, still encoded. */
	path: string
	query: URLSearchParams
	body: string
	identity: Identity
}

export async function answerOcs({ request, path, query, body, identity }: OcsRequest, routes: readonly OcsRoute[], response: ServerResponse): Promise<void> {
	const [, version, route = ''] = /^\/ocs\/v([12])\.php(\/.*)$/.exec(path) ?? []
	const isJson = query.get('format') === 'json' || (!query.has('format') && request.headers.accept?.includes('application/json') === true)
	if (identity.isSession && identity.user !== undefined && request.headers['ocs-apirequest'] === undefined && request.headers.requesttoken === undefined) {
		response.writeHead(412, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-cache, no-store, must-revalidate', 'X-User-Id': identity.user.id })
		response.end('{"message":"CSRF check failed"}')
		return
	}
	const result = await answer()
	sendOcs(result, { version: version === '1' ? '1' : '2', isJson, userId: identity.user?.id ?? '' }, response)

	async function answer(): Promise<OcsResult> {
		if (identity.exApp === 'locked out') {
			return lockedOut
		}
		const matched = findRoute(routes, request.method ?? 'GET', route)
		if (matched === undefined) {
			return noSuchRoute
		}
		if (matched.route.asks === 'exApp' && identity.exApp !== 'proven') {
			return appApiRefused
		}
		// In a disabled account's name AppAPI's own calls still work, but nobody counts as logged in.
		if (matched.route.asks === 'user' && (identity.user === undefined || identity.user.enabled === false)) {
			return notLoggedIn
		}
		const parsed = parseBody(request.headers['content-type'] ?? '', body)
		if (parsed === undefined) {
			return internalError
		}
		return matched.route.handle({
			body: { ...Object.fromEntries(query), ...parsed },
			query,
			parameters: matched.parameters,
			user: identity.user,
			origin: `http://${request.headers.host ?? 'localhost'}`,
			bearer: identity.bearer,
		})
	}
}

function findRoute(routes: readonly OcsRoute[], method: string, path: string): { route: OcsRoute, parameters: Record<string, string> } | undefined {
	const segments = path.split('/')
	for (const route of routes) {
		const pattern = route.path.split('/')
		const isMatch = route.method === method && pattern.length === segments.length
			&& pattern.every((part, at) => part.startsWith('{') || part === segments[at])
		if (isMatch) {
			const named = pattern.flatMap((part, at) => part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(segments[at] ?? '')] as const] : [])
			return { route, parameters: Object.fromEntries(named) }
		}
	}
	return undefined
}

/** JSON and forms, as Nextcloud reads them; undefined where PHP would stumble. */
export function parseBody(type: string, body: string): Record<string, unknown> | undefined {
	if (type.startsWith('application/x-www-form-urlencoded')) {
		return Object.fromEntries(new URLSearchParams(body))
	}
	if (!type.includes('json') || body === '') {
		return {}
	}
	try {
		const value: unknown = JSON.parse(body)
		return typeof value === 'object' && value !== null ? { ...value } : {}
	} catch {
		return {}
	}
}
