// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Nextcloud's own oauth2 app as seen from here: no discovery, no PKCE, no scopes. Its tokens open the whole account, so
// none is kept: it is asked who its holder is, and revoked.

import type { Logger } from '../logger.ts'
import type { KnownUser, OAuthProvider } from './ports.ts'

import { allowInsecureRequests, buildAuthorizationUrl, ClientError, ClientSecretPost, Configuration, fetchProtectedResource, genericGrantRequest, ResponseBodyError } from 'openid-client'
import { z } from 'zod'
import { SipCallError } from '../errors.ts'

/** The client that an admin has made in Nextcloud, under Administration → Security → OAuth 2.0 clients. */
export interface OAuthClientCredentials {
	id: string
	secret: string
}

export interface NextcloudOAuthOptions {
	/** undefined: none is set up. Asked each time, because an admin may change it at any time. */
	client: () => OAuthClientCredentials | undefined
	/** The address at which this server reaches Nextcloud. */
	nextcloudUrl: string
	/** The address at which people's browsers reach Nextcloud. */
	publicUrl: () => Promise<string>
	logger: Logger
	timeoutSec?: number
}

const TIMEOUT_SEC = 5
/** What Nextcloud answers when it has throttled us for too many refused codes. */
const THROTTLED_SEC = 60

const CloudUser = z.object({
	ocs: z.object({
		data: z.object({
			id: z.string().min(1),
			displayname: z.string().optional(),
			groups: z.array(z.string()),
		}),
	}),
})

export class NextcloudOAuth implements OAuthProvider {
	readonly #options: NextcloudOAuthOptions

	constructor(options: NextcloudOAuthOptions) {
		this.#options = options
	}

	async authorizeUrl(state: string, redirectUri: string | undefined): Promise<string> {
		const client = this.#client()
		const configuration = this.#configuration(client, await this.#options.publicUrl())
		return buildAuthorizationUrl(configuration, { state, ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }) }).href
	}

	async identify(code: string, redirectUri: string | undefined): Promise<KnownUser> {
		const configuration = this.#configuration(this.#client(), this.#options.nextcloudUrl)
		const accessToken = await exchange(configuration, code, redirectUri)
		try {
			return await this.#holderOf(configuration, accessToken)
		} finally {
			await this.#revoke(configuration, accessToken)
		}
	}

	#client(): OAuthClientCredentials {
		const client = this.#options.client()
		if (client === undefined) {
			throw new SipCallError('oauth_not_configured', 'Signing in from outside Nextcloud is not set up. An administrator adds an OAuth 2.0 client in Nextcloud’s security settings and gives its id and secret to SIPCall.')
		}
		return client
	}

	#configuration({ id, secret }: OAuthClientCredentials, baseUrl: string): Configuration {
		const base = baseUrl.replace(/(?:\/+index\.php)?\/*$/, '')
		const configuration = new Configuration({
			issuer: base,
			authorization_endpoint: `${base}/index.php/apps/oauth2/authorize`,
			token_endpoint: `${base}/index.php/apps/oauth2/api/v1/token`,
		}, id, { client_secret: secret }, ClientSecretPost(secret))
		configuration.timeout = this.#options.timeoutSec ?? TIMEOUT_SEC
		// AppAPI itself chooses http between containers of one machine or private network, and every OCS request then
		// carries the app's secret, which opens more than any OAuth client: refusing http here would protect nothing.
		// Where the address is https, nothing falls back to http: redirects are never followed.
		if (base.startsWith('http:')) {
			allowInsecureRequests(configuration)
		}
		return configuration
	}

	async #holderOf(configuration: Configuration, accessToken: string): Promise<KnownUser> {
		const answer = await this.#ocs(configuration, accessToken, 'GET', '/cloud/user')
		const parsed = CloudUser.safeParse(answer.status === 200 ? await answer.json().catch(() => undefined) : undefined)
		if (!parsed.success) {
			throw unavailable(new Error(`Nextcloud answered ${answer.status} when asked who holds its token`))
		}
		const { id, displayname, groups } = parsed.data.ocs.data
		return { id, displayName: displayname ?? id, isAdmin: groups.includes('admin') }
	}

	/** Ends the token, and with it Nextcloud's refresh token, which was never kept. */
	async #revoke(configuration: Configuration, accessToken: string): Promise<void> {
		try {
			const answer = await this.#ocs(configuration, accessToken, 'DELETE', '/core/apppassword')
			await answer.body?.cancel()
			if (answer.status !== 200) {
				throw new Error(`Nextcloud answered ${answer.status}`)
			}
		} catch (error) {
			this.#options.logger.warn('Nextcloud’s own token could not be revoked; it ends by itself within an hour', { error })
		}
	}

	async #ocs(configuration: Configuration, accessToken: string, method: 'GET' | 'DELETE', path: string): Promise<Response> {
		const url = new URL(`${configuration.serverMetadata().issuer}/ocs/v2.php${path}?format=json`)
		try {
			return await fetchProtectedResource(configuration, accessToken, url, method, null, new Headers({ 'OCS-APIRequest': 'true', Accept: 'application/json' }))
		} catch (error) {
			throw unavailable(harmless(error))
		}
	}
}

async function exchange(configuration: Configuration, code: string, redirectUri: string | undefined): Promise<string> {
	try {
		// Not authorizationCodeGrant(): that wants the address to which the browser came back, and this server has none.
		const answer = await genericGrantRequest(configuration, 'authorization_code', { code, ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }) })
		return answer.access_token
	} catch (error) {
		if (!(error instanceof ResponseBodyError) || error.status === 429 || error.status >= 500) {
			throw unavailable(harmless(error), isThrottled(error) ? THROTTLED_SEC : undefined)
		}
		if (error.error === 'invalid_client') {
			throw new SipCallError('oauth_not_configured', 'Nextcloud refuses the OAuth 2.0 client that SIPCall is set up with, or the code was made for another one. An administrator checks the client’s id and secret.', { cause: harmless(error) })
		}
		// For a code that is unknown, used or older than ten minutes Nextcloud says invalid_request.
		throw new SipCallError('invalid_grant', 'Nextcloud does not know this code, or it was used before or is too old. Sign in again.')
	}
}

function isThrottled(error: unknown): boolean {
	return (error instanceof ResponseBodyError && error.status === 429)
		|| (error instanceof ClientError && error.cause instanceof Response && error.cause.status === 429)
}

/** What a log may have of an error: openid-client's own carry the whole answer, and the tokens in it. */
function harmless(error: unknown): unknown {
	if (error instanceof ResponseBodyError) {
		return new Error(`Nextcloud answered ${error.status}: ${error.error}`)
	}
	if (error instanceof ClientError) {
		return new Error(error.cause instanceof Response ? `Nextcloud answered ${error.cause.status}` : `${error.message} (${error.code ?? 'no code'})`)
	}
	return error
}

function unavailable(cause: unknown, retryAfterSec = 30): SipCallError {
	return new SipCallError('nextcloud_unavailable', 'Nextcloud cannot be asked at the moment. Try to sign in again in a minute.', { cause, retryAfterSec })
}
