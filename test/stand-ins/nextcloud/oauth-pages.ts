// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** OAuth2 in the browser and at the token endpoint: authorize, "Connect to your account", "Grant access". */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OAuth } from './oauth.ts'
import type { ShellUser } from './users.ts'

import { randomUUID } from 'node:crypto'
import { formText } from './oauth.ts'
import { phpJson } from './ocs-answer.ts'
import { parseBody } from './ocs.ts'
import { escapeHtml, newNonce, ownHeaders, renderNotFound, securityHeaders } from './page.ts'

const HTML = 'text/html; charset=UTF-8'
const NO_CACHE = { 'Cache-Control': 'no-cache, no-store, must-revalidate' }

export interface OAuthRequest {
	request: IncomingMessage
	/** Without the query and `index.php`. */
	path: string
	query: URLSearchParams
	body: string
	user: ShellUser | undefined
}

/** What Nextcloud keeps in the session between the pages. */
interface Session {
	stateToken: string
	oauthState: string
}

export class OAuthPages {
	readonly #oauth: OAuth
	readonly #sessions = new Map<string, Session>()

	constructor(oauth: OAuth) {
		this.#oauth = oauth
	}

	/**
	 * @return false when the path is none of these pages
	 */
	answer(call: OAuthRequest, response: ServerResponse): boolean {
		switch (`${call.request.method} ${call.path}`) {
			case 'GET /apps/oauth2/authorize':
				this.#authorize(call, response)
				return true
			case 'GET /login/flow':
				this.#picker(call, response)
				return true
			case 'GET /login/flow/grant':
				this.#grantPage(call, response)
				return true
			case 'POST /login/flow':
				this.#grant(call, response)
				return true
			case 'POST /apps/oauth2/api/v1/token':
				this.#token(call, response)
				return true
			case 'POST /apps/oauth2/clients':
				this.#addClient(call, response)
				return true
			default:
				return false
		}
	}

	#session(user: ShellUser | undefined): Session {
		const session = this.#sessions.get(user?.id ?? '') ?? { stateToken: '', oauthState: '' }
		this.#sessions.set(user?.id ?? '', session)
		return session
	}

	#authorize({ request, query, user }: OAuthRequest, response: ServerResponse): void {
		const client = this.#oauth.client(query.get('client_id') ?? '')
		const state = query.get('state') ?? ''
		if (client === undefined) {
			// As recorded: a page that says so, with 200.
			sendPage(200, user, renderNotFound(), response)
		} else if (query.get('response_type') !== 'code') {
			redirect(`${client.redirectUri}?error=unsupported_response_type&state=${formText(state)}`, user, response)
		} else {
			this.#session(user).oauthState = state
			redirect(`${origin(request)}/login/flow?providedRedirectUri=&clientIdentifier=${client.clientId}`, user, response)
		}
	}

	#picker({ query, user }: OAuthRequest, response: ServerResponse): void {
		const session = this.#session(user)
		session.stateToken = randomUUID()
		const next = `/login/flow/grant?user=&providedRedirectUri=&direct=0&stateToken=${session.stateToken}&clientIdentifier=${query.get('clientIdentifier') ?? ''}&oauthState=${formText(session.oauthState)}`
		sendPage(200, user, page(`<h2>Connect to your account</h2><a id="submit-redirect" href="${escapeHtml(next)}">Log in</a>`), response)
	}

	#grantPage({ request, query, user }: OAuthRequest, response: ServerResponse): void {
		if (user === undefined) {
			redirect(`${origin(request)}/login?redirect_url=${encodeURIComponent(request.url ?? '/')}`, user, response)
		} else if (query.get('stateToken') !== this.#session(user).stateToken) {
			sendPage(403, user, page('<h2>Access forbidden</h2><p>State token does not match</p>'), response)
		} else {
			const fields = { clientIdentifier: query.get('clientIdentifier') ?? '', requesttoken: newNonce(), stateToken: query.get('stateToken') ?? '', oauthState: query.get('oauthState') ?? '', providedRedirectUri: '' }
			const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`).join('')
			sendPage(200, user, page(`<form method="post" action="${origin(request)}/login/flow">${inputs}<input type="submit" class="login primary" value="Grant access"></form>`), response)
		}
	}

	#grant({ request, body, user }: OAuthRequest, response: ServerResponse): void {
		const { stateToken, clientIdentifier, oauthState } = parseBody(request.headers['content-type'] ?? '', body) ?? {}
		const session = this.#session(user)
		const client = this.#oauth.client(String(clientIdentifier))
		if (user === undefined || client === undefined || session.stateToken === '' || stateToken !== session.stateToken) {
			sendPage(403, user, page('<h2>Access forbidden</h2><p>State token does not match</p>'), response)
			return
		}
		const state = typeof oauthState === 'string' ? oauthState : session.oauthState
		Object.assign(session, { stateToken: '', oauthState: '' })
		redirect(this.#oauth.grant(client, user, state), user, response)
	}

	#token({ request, body, user }: OAuthRequest, response: ServerResponse): void {
		const answer = this.#oauth.token(parseBody(request.headers['content-type'] ?? '', body) ?? {}, request.headers.authorization)
		if (answer.status === 500) {
			sendPage(500, user, page('<h2>Internal Server Error</h2>'), response)
			return
		}
		response.writeHead(answer.status, { 'Content-Type': 'application/json; charset=utf-8', ...NO_CACHE })
		response.end(phpJson(answer.body))
	}

	#addClient({ request, body, user }: OAuthRequest, response: ServerResponse): void {
		const { name, redirectUri } = parseBody(request.headers['content-type'] ?? '', body) ?? {}
		const isAdmin = user?.groups.includes('admin') === true
		response.writeHead(isAdmin ? 200 : 403, { 'Content-Type': 'application/json; charset=utf-8', ...NO_CACHE, ...(user === undefined ? {} : { 'X-User-Id': user.id }) })
		response.end(phpJson(isAdmin ? this.#oauth.addClient(String(redirectUri), String(name)) : { message: 'Logged in account must be an admin' }))
	}
}

function origin(request: IncomingMessage): string {
	return `http://${request.headers.host ?? 'localhost'}`
}

function redirect(location: string, user: ShellUser | undefined, response: ServerResponse): void {
	response.writeHead(303, { 'Content-Type': HTML, 'Content-Length': '0', ...NO_CACHE, ...ownHeaders(user), Location: location })
	response.end()
}

function sendPage(status: number, user: ShellUser | undefined, content: string, response: ServerResponse): void {
	response.writeHead(status, { 'Content-Type': HTML, ...securityHeaders(user, newNonce()) })
	response.end(content)
}

function page(content: string): string {
	return `<!DOCTYPE html>\n<html class="ng-csp" lang="en">\n\t<head><meta charset="utf-8"><title>Nextcloud</title></head>\n\t<body id="body-login"><main>${content}</main></body>\n</html>\n`
}
