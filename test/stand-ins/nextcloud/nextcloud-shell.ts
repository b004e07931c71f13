// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Stands in for a Nextcloud 32 with AppAPI, for the app and for whoever looks at it with a browser: life cycle, OCS,
 * CardDAV, OAuth2, the PHP proxy and the page around the app. What it does is what recordings of a real one show. Not
 * modelled: redirects of the ExApp (the real proxy follows them itself), multipart bodies, the route list of info.xml.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressBooks } from './address-books.ts'
import type { ConfigRows } from './app-config.ts'
import type { BruteForce } from './brute-force.ts'
import type { ExAppStatus } from './ex-app.ts'
import type { OccResult, ProgressReport } from './life-cycle.ts'
import type { NextcloudOptions } from './nextcloud.ts'
import type { ShownNotification } from './notifications.ts'
import type { OAuth } from './oauth.ts'
import type { Registrations } from './registrations.ts'
import type { ShellUser, Users } from './users.ts'

import { createServer } from 'node:http'
import { isAsset, serveAsset } from './assets.ts'
import { answerDav } from './carddav.ts'
import { forwardByHarp } from './harp.ts'
import { identify } from './identity.ts'
import { Nextcloud } from './nextcloud.ts'
import { OAuthPages } from './oauth-pages.ts'
import { runOcc } from './occ-commands.ts'
import { answerOcs } from './ocs.ts'
import { servePage } from './pages.ts'
import { forward } from './proxy.ts'

export type { ShellUser }

export interface NextcloudShellOptions extends NextcloudOptions {
	port?: number
	host?: string
	/** A line that stands above the app on the page, such as that no real phone rings. */
	notice?: string
}

/** One request as Nextcloud received it. */
export interface ShellRequest {
	method: string
	/** Path and query as they stood in the request line. */
	url: string
	headers: IncomingMessage['headers']
	body: string
	/** Which part of Nextcloud answered. */
	part: 'page' | 'asset' | 'proxy' | 'harp' | 'ocs' | 'dav' | 'none'
	/** Who is logged in, or in whose name the ExApp came; empty for nobody. */
	userId: string
	/** 0 until the answer is on its way. */
	status: number
}

export interface NextcloudShell {
	url: string
	requests: readonly ShellRequest[]
	/** Where the ExApp listens; may be told later, when it has started. */
	exAppUrl: string
	/** Whether the web server has a rule for `/exapps/`, HaRP's way to the ExApp; false at first. */
	hasHarp: boolean
	/** The app as Nextcloud has it now. */
	readonly exApp: Readonly<{ version: string, isRegistered: boolean, isEnabled: boolean, status: ExAppStatus }>
	/** What the ExApp has reported of its set-up, in order. */
	reports: readonly ProgressReport[]
	registrations: Registrations
	config: ConfigRows
	preferences: (userId: string) => ConfigRows
	users: Users
	addressBooks: AddressBooks
	oauth: OAuth
	bruteForce: BruteForce
	/** What a user sees, newest first. */
	notifications: (userId: string) => ShownNotification[]
	register: () => Promise<OccResult>
	enable: () => Promise<OccResult>
	disable: () => Promise<OccResult>
	update: (version: string) => Promise<OccResult>
	unregister: () => Promise<OccResult>
	/** Runs one of the ExApp's console commands; options by their long names, true for one without a value. */
	occ: (name: string, args?: readonly string[], options?: Readonly<Record<string, unknown>>) => Promise<OccResult>
	/**
	 * Saves one field of a form as the settings page does.
	 *
	 * @return the HTTP status; 200 also where nothing was stored
	 */
	saveSetting: (userId: string, formId: string, fieldId: string, value: unknown) => number
	/** Puts Nextcloud into maintenance mode and back: meanwhile every request is answered 503. */
	setAvailable: (isAvailable: boolean) => void
	stop: () => Promise<void>
}

export async function startNextcloudShell(options: NextcloudShellOptions): Promise<NextcloudShell> {
	const host = options.host ?? '127.0.0.1'
	const nextcloud = new Nextcloud(options)
	const { users, exApp, lifeCycle, appConfig, registrations, bruteForce, oauth, addressBooks } = nextcloud
	const oauthPages = new OAuthPages(oauth)
	const requests: ShellRequest[] = []
	let isAvailable = true
	let hasHarp = false

	async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const body = await readBody(request)
		const url = new URL(request.url ?? '/', 'http://cloud.invalid')
		const user = actingUser(request, url, users, oauth)
		const seen: ShellRequest = {
			method: request.method ?? 'GET',
			url: request.url ?? '/',
			headers: request.headers,
			body: body.toString('utf8'),
			part: 'none',
			userId: user?.id ?? '',
			status: 0,
		}
		requests.push(seen)
		response.on('finish', () => {
			seen.status = response.statusCode
		})
		if (!isAvailable) {
			response.writeHead(503, { 'Content-Type': 'text/html; charset=UTF-8', 'X-Nextcloud-Maintenance-Mode': '1', 'Retry-After': '120' })
			response.end()
			return
		}
		// Nextcloud answers with and without index.php, as its links depend on the web server's rewriting.
		const path = (request.url ?? '/').split('?', 1)[0]?.replace(/^\/index\.php(?=\/)/, '') ?? '/'
		const query = url.searchParams
		const byHarp = `/exapps/${options.appId}/`
		const proxied = `/apps/app_api/proxy/${options.appId}/`
		if (hasHarp && path.startsWith(byHarp)) {
			seen.part = 'harp'
			forwardByHarp({ request, body, path: path.slice(byHarp.length) + url.search, user, exApp }, response)
		} else if (path.startsWith(proxied)) {
			const rest = path.slice(proxied.length)
			if (request.method === 'GET' && user !== undefined && isAsset(rest)) {
				seen.part = 'asset'
				await serveAsset(rest, user, response)
				return
			}
			seen.part = 'proxy'
			await forward({ request, body, path: rest, query, user, exApp }, response)
		} else if (path.startsWith('/ocs/') || path.startsWith('/remote.php/dav/')) {
			const identity = identify(request, path, { exApp, users, bruteForce, userOfToken: (token) => oauth.userOfToken(token) })
			seen.userId = identity.user?.id ?? ''
			if (path.startsWith('/ocs/')) {
				seen.part = 'ocs'
				await answerOcs({ request, path, query, body: seen.body, identity }, nextcloud.routes, response)
			} else {
				seen.part = 'dav'
				answerDav({ request, path, body: seen.body, identity }, addressBooks, response)
			}
		} else if (path === '/status.php') {
			seen.part = 'page'
			response.writeHead(200, { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' })
			response.end('{"installed":true,"maintenance":false,"needsDbUpgrade":false,"version":"32.0.1.2","versionstring":"32.0.1","edition":"","productname":"Nextcloud","extendedSupport":false}')
		} else {
			seen.part = 'page'
			if (!oauthPages.answer({ request, path, query, body: seen.body, user }, response)) {
				servePage({ request, path, query, user, notice: options.notice }, nextcloud, response)
			}
		}
	}

	const server = createServer((request, response) => {
		handle(request, response).catch((error: unknown) => {
			// A fault in the stand-in itself must not look like an answer of Nextcloud's.
			response.destroy(error instanceof Error ? error : undefined)
		})
	})
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen(options.port ?? 0, host, resolve)
	})
	const address = server.address()
	const port = typeof address === 'object' && address !== null ? address.port : options.port

	return {
		url: `http://${host}:${port}`,
		requests,
		get exAppUrl() {
			return exApp.url
		},
		set exAppUrl(url) {
			exApp.url = url
		},
		get hasHarp() {
			return hasHarp
		},
		set hasHarp(isThere) {
			hasHarp = isThere
		},
		exApp,
		reports: lifeCycle.reports,
		registrations,
		config: appConfig.config,
		preferences: (userId) => appConfig.preferences(userId),
		users,
		addressBooks,
		oauth,
		bruteForce,
		notifications: (userId) => nextcloud.notifications.shownTo(userId),
		register: () => lifeCycle.register(),
		enable: () => lifeCycle.enable(),
		disable: () => lifeCycle.disable(),
		update: (version) => lifeCycle.update(version),
		unregister: () => lifeCycle.unregister(),
		occ: (name, args, values) => runOcc(exApp, registrations.occCommands, name, args, values),
		saveSetting(userId, formId, fieldId, value) {
			const result = nextcloud.settingsForms.save(users.get(userId), formId, fieldId, value)
			return 'data' in result ? 200 : result.code
		},
		setAvailable(available) {
			isAvailable = available
		},
		async stop() {
			const closed = new Promise<void>((resolve) => {
				server.close(() => resolve())
			})
			server.closeAllConnections()
			await closed
		},
	}
}

/** A token of OAuth2, `?as=` on the page, the cookie, or else the first user; an unknown name is nobody, as after a logout. */
function actingUser(request: IncomingMessage, url: URL, users: Users, oauth: OAuth): ShellUser | undefined {
	const byToken = oauth.userOfToken(/^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '')
	if (byToken !== undefined) {
		return byToken
	}
	const as = url.pathname.includes('/proxy/') ? null : url.searchParams.get('as')
	const cookie = /(?:^|;\s*)nc_username=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
	const id = as ?? (cookie === undefined ? undefined : decodeURIComponent(cookie))
	return id === undefined ? users.first : users.enabled(id)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = []
	for await (const chunk of request) {
		chunks.push(chunk as Buffer)
	}
	return Buffer.concat(chunks)
}
