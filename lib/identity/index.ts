// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'
import type { JwtAlgorithm } from './jwt.ts'
import type { OAuthClientCredentials } from './oauth-client.ts'
import type { SignInEvent, SignInStore, Users } from './ports.ts'

import { AccessTokens } from './jwt.ts'
import { NextcloudOAuth } from './oauth-client.ts'
import { SignIn } from './sign-in.ts'
import { TokenVerifier } from './token-verifier.ts'

export interface IdentityOptions {
	store: SignInStore
	users: Users
	/** Whether Nextcloud still lets a user in, at most 60 seconds old. */
	isActive: (userId: string) => Promise<boolean>
	oauth: {
		client: () => OAuthClientCredentials | undefined
		/** The address at which this server reaches Nextcloud. */
		nextcloudUrl: string
		/** The address at which people's browsers reach Nextcloud. */
		publicUrl: () => Promise<string>
	}
	jwt: {
		/** The first one signs, all of them verify. */
		keys: readonly [Buffer, ...Buffer[]]
		algorithm: JwtAlgorithm
		expiryMin: number
	}
	now: () => Date
	newUuid: () => string
	/** Must return at once and not throw. */
	onEvent: (event: SignInEvent) => void
	logger: Logger
}

export interface Identity {
	signIn: SignIn
	verifier: TokenVerifier
}

/** Puts the parts of this folder together. Nothing is opened, stored or asked yet. */
export function createIdentity({ store, users, isActive, oauth, jwt, now, newUuid, onEvent, logger }: IdentityOptions): Identity {
	const tokens = new AccessTokens({ keys: jwt.keys, algorithm: jwt.algorithm, lifetimeSec: jwt.expiryMin * 60, now, newUuid })
	const provider = new NextcloudOAuth({ ...oauth, logger })
	return {
		signIn: new SignIn({ provider, store, users, tokens, now, newUuid, onEvent, logger }),
		verifier: new TokenVerifier({ tokens, store, isActive, now }),
	}
}
