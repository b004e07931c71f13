// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The pages of Nextcloud's own that somebody with a browser comes to. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Nextcloud } from './nextcloud.ts'
import type { ShellUser } from './users.ts'

import { randomUUID } from 'node:crypto'
import { newNonce, renderNotFound, renderPage, securityHeaders } from './page.ts'
import { themeCss } from './theme.ts'

const HTML = 'text/html; charset=UTF-8'

export interface PageRequest {
	request: IncomingMessage
	/** Without the query and `index.php`. */
	path: string
	query: URLSearchParams
	user: ShellUser | undefined
	notice: string | undefined
}

export function servePage({ request, path, query, user, notice }: PageRequest, { exApp, registrations, settingsForms }: Nextcloud, response: ServerResponse): void {
	const embedded = `/apps/app_api/embedded/${exApp.id}`
	const [, menu] = path.startsWith(`${embedded}/`) ? /^([^/]+)/.exec(path.slice(embedded.length + 1)) ?? [] : []
	if (request.method === 'GET' && path === '/') {
		const first = registrations.topMenus[0]?.name ?? 'calls'
		response.writeHead(302, { Location: `/index.php${embedded}/${first}${query.size === 0 ? '' : `?${query}`}` })
		response.end()
	} else if (request.method === 'GET' && path === '/core/css/server.css') {
		response.writeHead(200, { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'no-cache' })
		response.end(themeCss)
	} else if (request.method === 'GET' && path === '/csrftoken') {
		response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' })
		response.end(JSON.stringify({ token: randomUUID() }))
	} else if (request.method === 'GET' && menu !== undefined) {
		embeddedPage(menu)
	} else if (request.method === 'GET' && /^\/settings\/(?:admin|user)(?:\/|$)/.test(path) && user !== undefined) {
		const isBroken = settingsForms.isBroken()
		response.writeHead(isBroken ? 500 : 200, { 'Content-Type': HTML, ...securityHeaders(user, newNonce()) })
		response.end(`<!DOCTYPE html>\n<html class="ng-csp" lang="en"><body><main>${isBroken ? 'Internal Server Error' : 'Settings'}</main></body></html>\n`)
	} else {
		notFound()
	}

	function embeddedPage(name: string): void {
		if (user === undefined) {
			response.writeHead(401, { 'Content-Type': 'application/json; charset=utf-8' })
			response.end('{"message":"Current user is not logged in"}')
			return
		}
		const entry = registrations.topMenus.find((known) => known.name === name)
		const isOffered = exApp.isRegistered && exApp.isEnabled && entry !== undefined && (entry.adminRequired === 0 || user.groups.includes('admin'))
		if (!isOffered) {
			notFound()
			return
		}
		const nonce = newNonce()
		response.writeHead(200, {
			'Content-Type': HTML,
			'Set-Cookie': [`nc_username=${encodeURIComponent(user.id)}; path=/; SameSite=Lax`, 'oc_sessionPassphrase=stand-in; path=/; HttpOnly; SameSite=Lax'],
			...securityHeaders(user, nonce, request.headers.host ?? ''),
		})
		response.end(renderPage({ appId: exApp.id, user, nonce, notice, entry, registrations }))
	}

	function notFound(): void {
		response.writeHead(404, { 'Content-Type': HTML, ...securityHeaders(user, newNonce()) })
		response.end(request.method === 'HEAD' ? undefined : renderNotFound())
	}
}
