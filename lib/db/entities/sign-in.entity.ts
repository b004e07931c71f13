// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { defineEntity, p } from '@mikro-orm/core'

/** A sign-in that was begun and is not completed. What is random is here as its SHA-256 in base64url, and nowhere else. */
export const OAuthStateEntity = defineEntity({
	name: 'OAuthState',
	tableName: 'oauth_states',
	properties: {
		hash: p.string().primary(),
		redirectUri: p.string().nullable(),
		expiresAt: p.datetime(3),
	},
})

/** A client of a user, signed in: the family that its refresh tokens form. */
export const SignInEntity = defineEntity({
	name: 'SignIn',
	tableName: 'sign_ins',
	properties: {
		id: p.uuid().primary(),
		userId: p.string(),
		createdAt: p.datetime(3),
		expiresAt: p.datetime(3),
	},
})

/** Used ones are kept until they expire: whoever shows one again has it from elsewhere. */
export const RefreshTokenEntity = defineEntity({
	name: 'RefreshToken',
	tableName: 'refresh_tokens',
	properties: {
		hash: p.string().primary(),
		signInId: p.uuid(),
		expiresAt: p.datetime(3),
		usedAt: p.datetime(3).nullable(),
	},
})
