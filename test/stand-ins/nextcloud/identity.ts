// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Who is calling: the ExApp in somebody's name, a client with a token or a password, or a browser with a session. */

import type { IncomingMessage } from 'node:http'
import type { BruteForce } from './brute-force.ts'
import type { ExApp } from './ex-app.ts'
import type { ShellUser, Users } from './users.ts'

export interface Identity {
	user: ShellUser | undefined
	/** Whether AppAPI's headers were there and held. */
	exApp: 'none' | 'proven' | 'refused' | 'locked out'
	/** The token of OAuth2 that came along; empty for none. */
	bearer: string
	/** By a cookie alone: such a call needs a token against forgery. */
	isSession: boolean
}

export interface IdentityOptions {
	exApp: ExApp
	users: Users
	bruteForce: BruteForce
	/** Whose token of OAuth2 this is. */
	userOfToken: (token: string) => ShellUser | undefined
}

/** The one call that a disabled ExApp may make. */
const STATE = /^\/ocs\/v[12]\.php\/apps\/app_api\/ex-app\/state$/

/**
 * @param request what came in
 * @param path without the query and `index.php`
 * @param options what is known here
 */
export function identify(request: IncomingMessage, path: string, options: IdentityOptions): Identity {
	const { headers } = request
	if (headers['authorization-app-api'] !== undefined || (headers['ex-app-id'] !== undefined && path.includes('/apps/app_api/api/'))) {
		return { ...identifyExApp(request, path, options), bearer: '', isSession: false }
	}
	const { users, userOfToken } = options
	const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
	const byToken = bearer === '' ? undefined : userOfToken(bearer)
	if (byToken !== undefined) {
		return { user: byToken, exApp: 'none', bearer, isSession: false }
	}
	const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1]
	if (basic !== undefined) {
		// Every user has a password that begins so, as in the recordings.
		const [id = '', password] = Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s)
		return { user: password?.startsWith(`${id}-pass-`) === true ? users.enabled(id) : undefined, exApp: 'none', bearer: '', isSession: false }
	}
	const cookie = /(?:^|;\s*)nc_username=([^;]*)/.exec(headers.cookie ?? '')?.[1]
	return { user: cookie === undefined ? undefined : users.enabled(decodeURIComponent(cookie)), exApp: 'none', bearer: '', isSession: true }
}

/**
 * In AppAPI's order: locked out, app known, secret equal, enabled, some version, user known.
 */
function identifyExApp({ headers, socket }: IncomingMessage, path: string, { exApp, users, bruteForce }: IdentityOptions): Pick<Identity, 'user' | 'exApp'> {
	const refused = { user: undefined, exApp: 'refused' } as const
	const address = socket.remoteAddress ?? ''
	const appId = String(headers['ex-app-id'] ?? '')
	if (bruteForce.isLockedOut(address)) {
		return { user: undefined, exApp: 'locked out' }
	}
	const proof = Buffer.from(String(headers['authorization-app-api'] ?? ''), 'base64').toString('utf8')
	if (appId === '' || headers['authorization-app-api'] === undefined) {
		return refused
	}
	const [userId = '', secret = ''] = proof.split(/:(.*)/s)
	const claim = `${appId} ${userId}`
	if (!exApp.isRegistered || appId !== exApp.id || secret !== exApp.secret) {
		bruteForce.fail(address, claim)
		return refused
	}
	const isDav = path.startsWith('/remote.php/')
	if (!exApp.isEnabled && !isDav && !STATE.test(path)) {
		return refused
	}
	const version = String(headers['ex-app-version'] ?? '')
	if (version === '') {
		return refused
	}
	if (isHigher(version, exApp.version)) {
		exApp.version = version
	}
	if (userId !== '' && users.get(userId) === undefined) {
		return refused
	}
	bruteForce.forgive(address, claim)
	return { user: userId === '' ? undefined : users.get(userId), exApp: 'proven' }
}

/** A higher version than the registered one is taken over without a word. */
function isHigher(version: string, than: string): boolean {
	const [left, right] = [version, than].map((text) => text.split(/[.-]/).map(Number))
	for (let at = 0; at < Math.max(left?.length ?? 0, right?.length ?? 0); at++) {
		const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0)
		if (difference !== 0) {
			return difference > 0
		}
	}
	return false
}
