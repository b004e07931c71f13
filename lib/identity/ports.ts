// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What signing in needs of the outside world. Hashes are SHA-256 in base64url: no token is ever stored.

/** The user as Nextcloud knows it. */
export interface KnownUser {
	id: string
	displayName: string
	isAdmin: boolean
}

export interface Users {
	/**
	 * @throws {SipCallError} `forbidden` when Nextcloud does not know the user or has disabled it;
	 * `nextcloud_unavailable` when it cannot be asked
	 */
	get(userId: string): Promise<KnownUser>
}

/** Nextcloud as the one who knows its users. */
export interface OAuthProvider {
	/**
	 * The address at which a person allows the sign-in.
	 *
	 * @throws {SipCallError} `oauth_not_configured`
	 */
	authorizeUrl(state: string, redirectUri: string | undefined): Promise<string>
	/**
	 * Who a code stands for. Nextcloud's own token, which opens the whole account, is gone when this returns.
	 *
	 * @throws {SipCallError} `invalid_grant` when Nextcloud does not know the code (any more);
	 * `oauth_not_configured` without a client, or when Nextcloud refuses it; `nextcloud_unavailable`
	 */
	identify(code: string, redirectUri: string | undefined): Promise<KnownUser>
}

export interface StoredState {
	hash: string
	redirectUri: string | undefined
	expiresAt: Date
}

export interface NewSignIn {
	id: string
	userId: string
	/** Of its first refresh token. */
	tokenHash: string
	at: Date
	expiresAt: Date
}

export interface Rotation {
	/** Of the token that was shown. */
	tokenHash: string
	/** Of the one that takes its place. */
	nextHash: string
	at: Date
	/** Of the next one, and of the sign-in with it. */
	expiresAt: Date
}

/**
 * States and refresh tokens. A sign-in is a family of refresh tokens, each made from the one before; it ends as a
 * whole. What is expired counts as not there.
 */
export interface SignInStore {
	addState(state: StoredState): Promise<void>
	/** Takes a state away, so that it serves once, whoever comes at the same moment. */
	takeState(hash: string, at: Date): Promise<{ redirectUri: string | undefined } | undefined>
	begin(signIn: NewSignIn): Promise<void>
	findToken(tokenHash: string, at: Date): Promise<{ signInId: string, userId: string, isUsed: boolean } | undefined>
	/**
	 * Marks a token as used and adds the next, both or neither. Of several who show the same token, one gets
	 * `rotated`; a token that was used before ends the whole sign-in.
	 */
	rotate(rotation: Rotation): Promise<'rotated' | 'reused' | 'unknown'>
	/**
	 * Ends the sign-in of any of its tokens, used ones included.
	 *
	 * @return the sign-in that was ended; undefined when there was none
	 */
	endByToken(tokenHash: string): Promise<{ signInId: string, userId: string } | undefined>
	/** Ends all sign-ins of a user. */
	endAllOf(userId: string): Promise<void>
	isAlive(signInId: string, at: Date): Promise<boolean>
	/** Removes what is expired. */
	forgetExpired(at: Date): Promise<void>
}

/** What an admin may want to know of later. */
export interface SignInEvent {
	type: 'signed_in' | 'signed_out' | 'token_reused'
	userId: string
	signInId: string
}
