// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Nextcloud's own OAuth2: clients with a secret only, no PKCE, no scopes; the redirect_uri of a request is ignored for
 * the registered one. No time passes by itself here: codes and tokens grow old by a method.
 */

import type { OcsRoute } from './ocs.ts'
import type { ShellUser, Users } from './users.ts'

import { randomBytes } from 'node:crypto'
import { failure, ok } from './ocs-answer.ts'

export interface OAuthClient {
	id: number
	name: string
	redirectUri: string
	clientId: string
	clientSecret: string
}

/** One granted access: its code is the authorization code first, and then each refresh token in turn. */
interface Grant {
	clientId: string
	userId: string
	code: string
	accessToken: string
	/** An access token was given out for it. */
	isDelivered: boolean
	isCodeOld: boolean
	isAccessOld: boolean
}

/** A body of the token endpoint; 500 is PHP's own page. */
export type TokenAnswer = { status: 200, body: Record<string, unknown> } | { status: 400, body: { error: string } } | { status: 500 }

const ACCESS_SEC = 3600

export class OAuth {
	readonly #users: Users
	readonly #clients: OAuthClient[] = []
	#grants: Grant[] = []
	/** Rotated away, but still in Nextcloud's cache for some seconds. */
	#cached = new Map<string, string>()

	constructor(users: Users) {
		this.#users = users
	}

	/** As an admin does it in the settings. */
	addClient(redirectUri: string, name = 'SIPCall'): OAuthClient {
		const client = { id: this.#clients.length + 1, name, redirectUri, clientId: randomText(64), clientSecret: randomText(64) }
		this.#clients.push(client)
		return client
	}

	client(clientId: string): OAuthClient | undefined {
		return this.#clients.find((client) => client.clientId === clientId)
	}

	/**
	 * What the button "Grant access" does.
	 *
	 * @return where the browser goes next
	 */
	grant(client: OAuthClient, user: ShellUser, state: string): string {
		const code = randomText(128)
		this.#grants.push({ clientId: client.clientId, userId: user.id, code, accessToken: randomText(72), isDelivered: false, isCodeOld: false, isAccessOld: false })
		return `${client.redirectUri}${client.redirectUri.includes('?') ? '&' : '?'}state=${formText(state)}&code=${code}`
	}

	/**
	 * @param values of the body, form or JSON
	 * @param authorization the header; its client wins over that of the body
	 */
	token(values: Readonly<Record<string, unknown>>, authorization: string | undefined): TokenAnswer {
		const { grant_type: grantType } = values
		if (grantType !== 'authorization_code' && grantType !== 'refresh_token') {
			return refused('invalid_grant')
		}
		const code = grantType === 'refresh_token' ? values.refresh_token : values.code
		const grant = this.#grants.find((known) => known.code === code)
		if (grant === undefined || (grantType === 'authorization_code' && (grant.isDelivered || grant.isCodeOld))) {
			return refused('invalid_request')
		}
		const basic = /^Basic (.+)$/i.exec(authorization ?? '')?.[1]
		const [clientId, clientSecret] = basic === undefined ? [values.client_id, values.client_secret] : Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s)
		if (clientSecret === undefined || clientSecret === null) {
			return { status: 500 }
		}
		const client = this.client(grant.clientId)
		if (client === undefined || clientId !== client.clientId || clientSecret !== client.clientSecret) {
			return refused('invalid_client')
		}
		if (this.#users.get(grant.userId) === undefined) {
			this.#grants = this.#grants.filter((other) => other !== grant)
			return refused('invalid_request')
		}
		if (grant.isDelivered && !grant.isAccessOld) {
			this.#cached.set(grant.accessToken, grant.userId)
		}
		Object.assign(grant, { code: randomText(128), accessToken: randomText(72), isDelivered: true, isAccessOld: false })
		return { status: 200, body: { access_token: grant.accessToken, token_type: 'Bearer', expires_in: ACCESS_SEC, refresh_token: grant.code, user_id: grant.userId } }
	}

	userOfToken(token: string): ShellUser | undefined {
		const grant = this.#grants.find((known) => known.accessToken === token && known.isDelivered && !known.isAccessOld)
		const userId = grant?.userId ?? this.#cached.get(token)
		return userId === undefined ? undefined : this.#users.enabled(userId)
	}

	/** As ten seconds after a refresh: the access token before it is refused. */
	dropCache(): void {
		this.#cached.clear()
	}

	/** As after ten minutes. */
	expireCodes(): void {
		for (const grant of this.#grants) {
			grant.isCodeOld = true
		}
	}

	/** As after an hour; refresh tokens go on. */
	expireAccessTokens(): void {
		this.#cached.clear()
		for (const grant of this.#grants) {
			grant.isAccessOld = grant.isDelivered
		}
	}

	/** As the user does it under "Devices & sessions". */
	revokeAll(userId: string): void {
		this.#cached.clear()
		this.#grants = this.#grants.filter((grant) => grant.userId !== userId)
	}

	routes(): OcsRoute[] {
		return [{
			method: 'DELETE',
			path: '/core/apppassword',
			asks: 'user',
			handle: ({ bearer }) => {
				const grant = this.#grants.find(({ accessToken }) => accessToken === bearer)
				if (grant === undefined) {
					return failure(403, 'no app password in use')
				}
				this.#cached.clear()
				this.#grants = this.#grants.filter((other) => other !== grant)
				return ok()
			},
		}]
	}
}

function refused(error: string): TokenAnswer {
	return { status: 400, body: { error } }
}

/** As PHP writes it into a query. */
export function formText(text: string): string {
	return new URLSearchParams({ x: text }).toString().slice(2)
}

function randomText(length: number): string {
	return randomBytes(length).toString('base64').replace(/[+/=]/g, 'x').slice(0, length)
}
