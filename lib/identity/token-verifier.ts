// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AccessTokens } from './jwt.ts'
import type { SignInStore } from './ports.ts'

export interface TokenVerifierOptions {
	tokens: AccessTokens
	store: Pick<SignInStore, 'isAlive'>
	/** Whether Nextcloud still lets the user in, at most 60 seconds old. */
	isActive: (userId: string) => Promise<boolean>
	now: () => Date
}

/** Tells who sends a bearer token. */
export class TokenVerifier {
	readonly #options: TokenVerifierOptions

	constructor(options: TokenVerifierOptions) {
		this.#options = options
	}

	/**
	 * The token's form costs nothing to check and so comes first: what is forged never reaches the database or Nextcloud.
	 *
	 * @return undefined when the token is not valid, its sign-in has ended, or Nextcloud does not let the user in
	 */
	async verify(token: string): Promise<{ userId: string } | undefined> {
		const { tokens, store, isActive, now } = this.#options
		const claims = tokens.verify(token)
		if (claims === undefined || !await store.isAlive(claims.sid, now()) || !await isActive(claims.sub)) {
			return undefined
		}
		return { userId: claims.sub }
	}
}
