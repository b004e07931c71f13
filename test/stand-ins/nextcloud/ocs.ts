// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The OCS calls that an ExApp makes back to Nextcloud, in the name of a user or of none. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextcloudShellOptions, ShellUser } from './nextcloud-shell.ts'

interface OcsContext {
	options: NextcloudShellOptions
	users: readonly ShellUser[]
}

/**
 * @param request what the ExApp sent
 * @param path without the query
 * @param context who may ask, and who is known
 * @param response takes the answer
 * @return the id of the user in whose name the ExApp came; empty for none
 */
export function answerOcs(request: IncomingMessage, path: string, context: OcsContext, response: ServerResponse): string {
	const [, version, route = ''] = /^\/ocs\/v([12])\.php(\/.*)$/.exec(path) ?? []
	const send = (status: number, statuscode: number, message: string, data: unknown, userId = '') => {
		const meta = {
			status: status < 400 ? 'ok' : 'failure',
			statuscode,
			message,
			// OCS v1 carries these two always, v2 only for lists.
			...(version === '1' ? { totalitems: '', itemsperpage: '' } : {}),
		}
		response.writeHead(status, {
			'Content-Type': 'application/json; charset=utf-8',
			'Cache-Control': 'no-cache, no-store, must-revalidate',
			...(userId === '' ? {} : { 'X-User-Id': userId }),
		})
		response.end(JSON.stringify({ ocs: { meta, data } }))
		return userId
	}
	const ok = (data: unknown, userId: string) => send(200, version === '1' ? 100 : 200, 'OK', data, userId)

	const identity = identify(request, context)
	if (identity === 'refused') {
		return send(401, 997, 'AppAPI authentication failed', [])
	}
	const { user } = identity
	if (request.method === 'GET' && route === '/cloud/user') {
		return user === undefined ? send(401, 997, 'Current user is not logged in', []) : ok(userData(user), user.id)
	}
	if (request.method === 'GET' && route === '/cloud/capabilities') {
		return ok({
			version: { major: 32, minor: 0, micro: 1, string: '32.0.1', edition: '', extendedSupport: false },
			capabilities: { core: { pollinterval: 60, 'webdav-root': 'remote.php/webdav' }, app_api: { loglevel: 1, version: '32.0.0' } },
		}, user?.id ?? '')
	}
	if (request.method === 'POST' && route === '/apps/app_api/api/v1/log') {
		return ok([], user?.id ?? '')
	}
	return send(404, version === '1' ? 998 : 404, 'Invalid query, please check the syntax.', [], user?.id ?? '')
}

/** AppAPI asks for a known app id, some version, the secret, and a user that exists if one is named. */
function identify(request: IncomingMessage, { options, users }: OcsContext): 'refused' | { user: ShellUser | undefined } {
	const { headers } = request
	const proof = headers['authorization-app-api']
	if (typeof proof !== 'string' || headers['ex-app-id'] !== options.appId || !headers['ex-app-version']) {
		return 'refused'
	}
	const decoded = Buffer.from(proof, 'base64').toString('utf8')
	const colon = decoded.indexOf(':')
	if (colon === -1 || decoded.slice(colon + 1) !== options.appSecret) {
		return 'refused'
	}
	const id = decoded.slice(0, colon)
	const user = users.find((known) => known.id === id)
	return id !== '' && user === undefined ? 'refused' : { user }
}

function userData({ id, displayName, groups }: ShellUser) {
	return {
		enabled: true,
		id,
		lastLogin: 0,
		backend: 'Database',
		subadmin: [],
		quota: { free: -3, used: 0, total: -3, relative: 0, quota: -3 },
		email: `${id}@cloud.example`,
		displayname: displayName,
		'display-name': displayName,
		phone: '',
		groups,
		language: 'en',
		locale: '',
		timezone: '',
		notify_email: null,
		backendCapabilities: { setDisplayName: true, setPassword: true },
	}
}
