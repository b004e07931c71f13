// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How a client outside Nextcloud gets tokens of ours, keeps them alive and gives them up.

import type { Logger } from '../logger.ts'
import type { AccessTokens } from './jwt.ts'
import type { KnownUser, OAuthProvider, SignInEvent, SignInStore, Users } from './ports.ts'

import { createHash, randomBytes } from 'node:crypto'
import { SipCallError } from '../errors.ts'

export type Role = 'user' | 'admin'

/** What a client gets, each time anew. */
export interface Grant {
	accessToken: string
	tokenType: 'Bearer'
	expiresInSec: number
	/** Serves once. */
	refreshToken: string
	user: { id: string, displayName: string, roles: Role[] }
}

export interface SignInOptions {
	provider: OAuthProvider
	store: SignInStore
	users: Users
	tokens: AccessTokens
	now: () => Date
	newUuid: () => string
	/** Must return at once and not throw. */
	onEvent: (event: SignInEvent) => void
	logger: Logger
}

/** As long as Nextcloud's own codes live. */
const STATE_LIFETIME_MS = 10 * 60 * 1000
/** Of a refresh token that is not used. */
const REFRESH_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000
const RANDOM_BYTES = 32

export class SignIn {
	readonly #options: SignInOptions

	constructor(options: SignInOptions) {
		this.#options = options
	}

	/**
	 * Begins a sign-in. The client must see for itself that the state that comes back is the one it was given here:
	 * only the client knows which browser it has sent there.
	 *
	 * @throws {SipCallError} `oauth_not_configured`
	 */
	async login(redirectUri?: string): Promise<{ authorizeUrl: string, state: string }> {
		const { provider, store, now } = this.#options
		const state = randomText()
		const authorizeUrl = await provider.authorizeUrl(state, redirectUri)
		await store.addState({ hash: hashOf(state), redirectUri, expiresAt: new Date(now().getTime() + STATE_LIFETIME_MS) })
		return { authorizeUrl, state }
	}

	/**
	 * Tokens for a code of Nextcloud. A state, where one comes with it, must be one of ours, and serves once; a code
	 * without one is taken too, for clients that began at Nextcloud themselves.
	 *
	 * @throws {SipCallError} `invalid_grant`, `oauth_not_configured`, `nextcloud_unavailable`
	 */
	async exchange({ code, state, redirectUri }: { code: string, state?: string | undefined, redirectUri?: string | undefined }): Promise<Grant> {
		const { provider, store, now, newUuid, onEvent, logger } = this.#options
		const begun = state === undefined ? undefined : await store.takeState(hashOf(state), now())
		if (state !== undefined && begun === undefined) {
			throw refused('This sign-in was not begun here, was completed before, or took longer than ten minutes. Sign in again.')
		}
		// RFC 6749 section 4.1.3: the values MUST be identical. Nextcloud does not compare them.
		if (begun?.redirectUri !== undefined && redirectUri !== undefined && redirectUri !== begun.redirectUri) {
			throw refused('The redirectUri is not the one that this sign-in was begun with. Sign in again.')
		}
		const user = await provider.identify(code, redirectUri ?? begun?.redirectUri)
		const [signInId, refreshToken, at] = [newUuid(), randomText(), now()]
		await store.begin({ id: signInId, userId: user.id, tokenHash: hashOf(refreshToken), at, expiresAt: new Date(at.getTime() + REFRESH_LIFETIME_MS) })
		logger.info('A client signed in', { signInId })
		onEvent({ type: 'signed_in', userId: user.id, signInId })
		return this.#grant(user, signInId, refreshToken)
	}

	/**
	 * New tokens for a refresh token, which then is used up. One that was used before is in two hands, and nobody knows
	 * whose: the sign-in ends for both (RFC 9700 section 4.14.2).
	 *
	 * @throws {SipCallError} `invalid_grant`; `nextcloud_unavailable`, and then the token is still good
	 */
	async refresh(refreshToken: string): Promise<Grant> {
		const { store, now, onEvent, logger } = this.#options
		const tokenHash = hashOf(refreshToken)
		const found = await store.findToken(tokenHash, now())
		if (found === undefined) {
			throw unknownToken()
		}
		// Asked before anything changes: a Nextcloud that is away must not cost the client its token.
		const user = found.isUsed ? undefined : await this.#stillKnown(found)
		const [nextToken, at] = [randomText(), now()]
		const outcome = await store.rotate({ tokenHash, nextHash: hashOf(nextToken), at, expiresAt: new Date(at.getTime() + REFRESH_LIFETIME_MS) })
		if (outcome === 'reused') {
			logger.warn('A refresh token was shown twice: its sign-in is ended', { userId: found.userId, signInId: found.signInId })
			onEvent({ type: 'token_reused', userId: found.userId, signInId: found.signInId })
		}
		if (outcome !== 'rotated' || user === undefined) {
			throw unknownToken()
		}
		return this.#grant(user, found.signInId, nextToken)
	}

	/** Ends the sign-in that the token belongs to; a token that nobody knows is none to end. */
	async revoke(refreshToken: string): Promise<void> {
		const ended = await this.#options.store.endByToken(hashOf(refreshToken))
		if (ended !== undefined) {
			this.#options.onEvent({ type: 'signed_out', ...ended })
		}
	}

	async #stillKnown({ userId, signInId }: { userId: string, signInId: string }): Promise<KnownUser> {
		const { users, store, onEvent, logger } = this.#options
		try {
			return await users.get(userId)
		} catch (error) {
			if (error instanceof SipCallError && error.code === 'forbidden') {
				await store.endAllOf(userId)
				logger.info('A user is gone from Nextcloud: all sign-ins of it are ended', { signInId })
				onEvent({ type: 'signed_out', userId, signInId })
				throw unknownToken()
			}
			throw error
		}
	}

	#grant(user: KnownUser, signInId: string, refreshToken: string): Grant {
		const { tokens } = this.#options
		return {
			accessToken: tokens.sign(user.id, signInId),
			tokenType: 'Bearer',
			expiresInSec: tokens.lifetimeSec,
			refreshToken,
			user: { id: user.id, displayName: user.displayName, roles: user.isAdmin ? ['user', 'admin'] : ['user'] },
		}
	}
}

function randomText(): string {
	return randomBytes(RANDOM_BYTES).toString('base64url')
}

/** 32 random bytes need no slow hash: nobody can guess what is behind it. */
function hashOf(token: string): string {
	return createHash('sha256').update(token).digest('base64url')
}

function unknownToken(): SipCallError {
	return refused('This sign-in has ended. Sign in again.')
}

function refused(message: string): SipCallError {
	return new SipCallError('invalid_grant', message)
}
