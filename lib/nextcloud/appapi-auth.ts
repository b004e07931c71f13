// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { isSameSecret } from '../same-secret.ts'

export interface AppApiIdentity {
	/** Empty for Nextcloud's own calls (life cycle, occ, setup checks). */
	userId: string
}

/** Nextcloud's user ids are at most 64 characters; control characters are in none of them. */
const USER_ID = /^[^\p{Cc}]{0,64}$/u

/**
 * Checks the proof that AppAPI's proxies and Nextcloud itself send (AppAPI's `AppAPICommonService`):
 * `EX-APP-ID`, `EX-APP-VERSION` and `AUTHORIZATION-APP-API: base64("<user id>:<secret>")`.
 *
 * Headers are read as lists: a client's own `EX-APP-ID` arrives beside the real one, and Node would join the two.
 *
 * @param headers as `request.headersDistinct` gives them
 * @param app the app's own id and secret
 * @return undefined when the proof is missing or wrong
 */
export function verifyAppApi(headers: NodeJS.Dict<string[]>, app: { id: string, secret: string }): AppApiIdentity | undefined {
	if (headers['ex-app-id']?.includes(app.id) !== true || (headers['ex-app-version'] ?? []).every((version) => version === '')) {
		return undefined
	}
	const proofs = (headers['authorization-app-api'] ?? []).map((value) => readProof(value, app.secret))
	const valid = proofs.filter((proof) => proof !== undefined)
	const [first] = valid
	// Two valid proofs for two users cannot both be meant.
	return first !== undefined && valid.every(({ userId }) => userId === first.userId) ? first : undefined
}

function readProof(value: string, secret: string): AppApiIdentity | undefined {
	const text = Buffer.from(value, 'base64').toString('utf8')
	// The secret may hold a colon, a user id may not: the first one divides.
	const colon = text.indexOf(':')
	const [userId, given] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)]
	const isEqual = isSameSecret(given, secret)
	return isEqual && colon >= 0 && USER_ID.test(userId) ? { userId } : undefined
}
