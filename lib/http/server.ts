// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The HTTP server: what every request passes through, in the order of this file.

import type { ErrorRequestHandler, Express, Request } from 'express'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { Logger } from '../logger.ts'
import type { CdrEndpoint } from './cdr-endpoint.ts'
import type { MetricsEndpoint } from './metrics-endpoint.ts'
import type { AnsweredRequest } from './middlewares/answer-watch.ts'
import type { RequestLimits } from './middlewares/request-limit.ts'
import type { Problem } from './problem.ts'
import type { Caller, RightsCheck, Route } from './route.ts'

import express from 'express'
import helmet from 'helmet'
import { isUtf8 } from 'node:buffer'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import path from 'node:path'
import { SipCallError } from '../errors.ts'
import { cdrEndpoint } from './cdr-endpoint.ts'
import { metricsEndpoint } from './metrics-endpoint.ts'
import { answerWatch } from './middlewares/answer-watch.ts'
import { browserOrigin } from './middlewares/browser-origin.ts'
import { cors } from './middlewares/cors.ts'
import { requestId } from './middlewares/request-id.ts'
import { requestLimit } from './middlewares/request-limit.ts'
import { openApiDocument } from './openapi.ts'
import { bareProblem, clientFault, problemOf } from './problem.ts'
import { requestLog } from './request-log.ts'
import { handlerOf } from './route.ts'

export interface HttpOptions {
	/** Served from the first moment: Nextcloud's life cycle. */
	lifeCycle: readonly Route[]
	/** Undefined until everything behind these routes is up: until then they answer 503. */
	routes: () => readonly Route[] | undefined
	/** The folder that holds the page's `js/`, `css/` and `img/`. */
	assets: string
	version: string
	/**
	 * Checks AppAPI's headers.
	 *
	 * @return the user's id, empty for Nextcloud itself; undefined when there is no valid proof
	 */
	verifyProof: (headers: NodeJS.Dict<string[]>) => { userId: string } | undefined
	/**
	 * Checks a bearer token of our own, for requests beneath /api/v1.
	 *
	 * @return undefined when it is forged, expired or revoked
	 */
	verifyToken: (token: string) => Promise<{ userId: string } | undefined>
	checkRight: RightsCheck
	/** Whose scripts may use the token API. */
	corsOrigins: readonly string[]
	requestLimits: RequestLimits
	/** Tells a fault of a part behind the routes (the database is away) from a bug. */
	faultOf: (error: unknown) => SipCallError | undefined
	/** Told of every answer. */
	onAnswered: (answer: AnsweredRequest) => void
	/** The name of a user in the log. */
	userRef: (userId: string) => string
	metrics: MetricsEndpoint
	cdrs: CdrEndpoint
	logger: Logger
}

/** Other clients than Nextcloud's proxies come in here, with a bearer token and nothing else. */
const API_PREFIX = '/api/v1'
const BODY_LIMIT = '64kb'
/** A table of prices, and settings that hold one. */
const TABLE_LIMIT = '1mb'
const WITH_TABLES = /^(?:\/api\/v1)?\/admin\/(?:config|rates\/read|policy\/explain)$/
/** A request must have arrived within this; long waits are on our side, not on the client's. */
const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 15_000
const IDLE_SWEEP_MS = 20

export interface HttpServer {
	/** `http://host:port`, or the socket's path. */
	readonly address: string
	/** The port that was bound; undefined on a socket. */
	readonly port: number | undefined
	/** Ends long waits, answers what is under way, then closes. Resolves at the latest after the given time. */
	stop(limitMs: number): Promise<void>
}

/** Opens the server; `/heartbeat` answers from then on. */
export async function startHttpServer(listen: { host: string, port: number } | { socketPath: string }, options: HttpOptions): Promise<HttpServer> {
	const stopping = new AbortController()
	const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS }, createHttpApp(options, stopping.signal))
	if ('socketPath' in listen) {
		// A killed process leaves its socket behind, and a socket that nobody serves cannot be bound again.
		await rm(listen.socketPath, { force: true })
	}
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen('socketPath' in listen ? { path: listen.socketPath, writableAll: true, readableAll: true } : listen, () => {
			server.off('error', reject)
			resolve()
		})
	})
	const bound = server.address()
	return {
		address: typeof bound === 'string' || bound === null ? String(bound) : `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
		port: typeof bound === 'object' ? bound?.port : undefined,
		stop: (limitMs) => stopServer(server, stopping, limitMs),
	}
}

async function stopServer(server: Server, stopping: AbortController, limitMs: number): Promise<void> {
	stopping.abort()
	const limit = setTimeout(() => server.closeAllConnections(), limitMs)
	// A connection becomes idle only when its last answer is out, and a client may keep it for long.
	const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS)
	await new Promise<void>((resolve) => {
		server.close(() => resolve())
	})
	clearTimeout(limit)
	clearInterval(sweep)
}

/** The Express app without a socket, for tests and for startHttpServer. */
export function createHttpApp(options: HttpOptions, stopping: AbortSignal): Express {
	const app = express()
	app.enable('case sensitive routing')
	app.enable('strict routing')
	app.disable('x-powered-by')
	app.disable('etag')
	app.set('query parser', 'simple')

	const log = requestLog(options.logger, options.userRef)
	app.use(answerWatch((answer, details) => {
		options.onAnswered(answer)
		log(answer, details)
	}))
	app.use(requestId)
	// Strict-Transport-Security would bind Nextcloud's whole host, which is not for an app to decide.
	app.use(helmet({ crossOriginResourcePolicy: false, strictTransportSecurity: false }))
	// Before anything asks who it is: the question before a request carries no token (Fetch standard, CORS-preflight).
	app.use(cors(API_PREFIX, options.corsOrigins))
	app.get('/heartbeat', (_request, response) => {
		response.json({ status: 'ok' })
	})
	app.get('/openapi.json', (_request, response) => {
		response.json(openApiDocument([...options.lifeCycle, ...options.routes() ?? []], options.version))
	})
	// Their secrets are none of a user: they are looked at before anybody's are dropped.
	app.get('/metrics', metricsEndpoint(options.metrics))
	app.post('/freeswitch/cdr', cdrEndpoint(options.cdrs))

	const callers = new WeakMap<Request, Caller>()
	const callerOf = (request: Request) => callers.get(request) ?? NOBODY
	app.use(async (request, response, next) => {
		const caller = await identify(request, options)
		callers.set(request, caller)
		response.locals.userId = caller.userId
		dropCredentials(request.headers)
		next()
	})
	app.use(requestLimit(options.requestLimits, callerOf))
	app.use((request, _response, next) => {
		// While the parts are starting nobody knows the public routes: the answer is then 503, never 401, which would make
		// clients give their sign-in up.
		const routes = options.routes()
		if (callerOf(request).proof === 'none' && routes !== undefined && !isPublic(request, routes)) {
			throw notAuthenticated()
		}
		next()
	})
	app.use(browserOrigin(callerOf))
	app.use((_request, _response, next) => {
		if (stopping.aborted) {
			throw new SipCallError('shutting_down', 'SIPCall is restarting. Try again in a few seconds.', { retryAfterSec: 5 })
		}
		next()
	})
	for (const folder of ['js', 'css', 'img']) {
		// Named as they were in the last version: a browser must ask each time whether they have changed.
		app.use(`/${folder}`, express.static(path.join(options.assets, folder), { index: false, redirect: false, fallthrough: true, setHeaders: (response) => response.setHeader('Cache-Control', 'private, no-cache') }))
	}
	const reader = (limit: string) => express.json({ limit, inflate: false, strict: true, verify: refuseBrokenText })
	const [readBody, readTable] = [reader(BODY_LIMIT), reader(TABLE_LIMIT)]
	app.use((request, response, next) => (WITH_TABLES.test(request.path) ? readTable : readBody)(request, response, next))

	app.use(routerOf(options.lifeCycle, options, callerOf, stopping))
	app.use(lateRoutes(options, callerOf, stopping))
	app.use(() => {
		throw new SipCallError('not_found', 'There is nothing at this address.')
	})
	app.use(errorHandler(options))
	return app
}

/** RFC 8259 section 8.1: JSON is UTF-8. Express would read broken bytes as replacement characters and store those. */
function refuseBrokenText(_request: unknown, _response: unknown, body: Buffer): void {
	if (!isUtf8(body)) {
		throw new SipCallError('invalid_request', 'The request’s body is not UTF-8.')
	}
}

/** The routes are put in place at the first request after everything behind them is up; after a restart of that, new ones. */
function lateRoutes(options: HttpOptions, callerOf: (request: Request) => Caller, stopping: AbortSignal): express.RequestHandler {
	let router: express.Router | undefined
	let current: readonly Route[] | undefined
	return (request, response, next) => {
		const routes = options.routes()
		if (routes === undefined) {
			throw new SipCallError('storage_unavailable', 'SIPCall is starting. Try again in a few seconds.', { retryAfterSec: 5 })
		}
		if (router === undefined || routes !== current) {
			router = routerOf(routes, options, callerOf, stopping)
			current = routes
		}
		router(request, response, next)
	}
}

function routerOf(routes: readonly Route[], options: HttpOptions, callerOf: (request: Request) => Caller, stopping: AbortSignal): express.Router {
	const router = express.Router({ caseSensitive: true, strict: true })
	for (const route of routes) {
		router[route.method](expressPath(route.path), handlerOf(route, callerOf, options.checkRight, stopping))
	}
	for (const path of new Set(routes.map((route) => route.path))) {
		const allowed = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase()).join(', ')
		router.all(expressPath(path), (_request, response) => {
			response.set('Allow', allowed)
			throw new SipCallError('method_not_allowed', `This address answers ${allowed} only.`)
		})
	}
	return router
}

function expressPath(path: string): string {
	return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

const NOBODY: Caller = { userId: '', proof: 'none' }

/** Beneath /api/v1 a token and nothing else counts, whatever a proxy has added; elsewhere AppAPI's proof alone. */
async function identify(request: Request, { verifyProof, verifyToken }: HttpOptions): Promise<Caller> {
	if (request.path.startsWith(`${API_PREFIX}/`)) {
		request.url = request.url.slice(API_PREFIX.length)
		const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
		const holder = token === undefined ? undefined : await verifyToken(token)
		return holder === undefined ? NOBODY : { userId: holder.userId, proof: 'token' }
	}
	const proven = verifyProof(request.headersDistinct)
	// An anonymous visitor on a public path comes with a valid secret and no name, as Nextcloud itself does; and AppAPI
	// before 32.0.10 resolves `..` after it has chosen the route. Only its proxy for visitors sends this header.
	const address = request.get('x-origin-ip')
	if (proven?.userId === '' && address !== undefined) {
		return { ...NOBODY, address }
	}
	return proven === undefined ? NOBODY : { userId: proven.userId, proof: 'nextcloud' }
}

/** Public routes are few and without parameters: signing in. */
function isPublic(request: Request, routes: readonly Route[]): boolean {
	return routes.some((route) => route.right === 'public' && route.path === request.path && route.method.toUpperCase() === request.method)
}

/** The answer to whoever has proven nothing. */
export function notAuthenticated(): SipCallError {
	return new SipCallError('not_authenticated', 'This address answers only signed-in users of Nextcloud. Open SIPCall inside Nextcloud, or send a valid token.')
}

/** The proxies pass the user's Nextcloud session on: it is none of ours, and nothing here may ever log or use it. */
function dropCredentials(headers: IncomingHttpHeaders): void {
	delete headers.cookie
	delete headers['harp-shared-key']
	delete headers.authorization
	delete headers['authorization-app-api']
}

function errorHandler({ logger, faultOf }: HttpOptions): ErrorRequestHandler {
	return (error: unknown, request, response, next) => {
		const id = String(response.locals.requestId)
		const known = error instanceof SipCallError ? error : clientFault(error) ?? faultOf(error)
		const problem: Problem = known === undefined ? bareProblem(id) : problemOf(known, id)
		response.locals.problemCode = problem.code
		response.locals.problemRule = (problem.refusal as { rule?: { id?: string } } | undefined)?.rule?.id
		if (known === undefined) {
			logger.error('A request failed by a fault of ours', { requestId: id, method: request.method, error })
		} else if (problem.status >= 500 && known.cause !== undefined) {
			logger.warn('A request could not be served', { requestId: id, code: known.code, error: known.cause })
		} else {
			logger.info('A request was refused', { requestId: id, code: known.code })
		}
		if (response.headersSent) {
			next(error)
			return
		}
		if (problem.retryAfterSec !== undefined) {
			response.set('Retry-After', String(problem.retryAfterSec))
		}
		if (known?.rateLimit !== undefined) {
			const { policy, quota, windowSec, remaining, resetSec } = known.rateLimit
			response.set('RateLimit-Policy', `"${policy}";q=${quota};w=${windowSec}`)
			response.set('RateLimit', `"${policy}";r=${remaining};t=${resetSec}`)
		}
		// As bytes: Express would add a charset that RFC 9457's media type does not have.
		response.status(problem.status).set('Content-Type', 'application/problem+json').send(Buffer.from(JSON.stringify(problem)))
	}
}
