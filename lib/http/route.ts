// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A route is data: what it needs and gives stands beside it, and every check is made in one place before its handler.

import type { Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SipCallError } from '../errors.ts'

/** Who asks, once the proof is checked. */
export interface Caller {
	/** Empty for Nextcloud itself, and for nobody. */
	userId: string
	/** `nextcloud`: AppAPI's headers; `token`: our own bearer token; `none`: nobody has proven anything. */
	proof: 'nextcloud' | 'token' | 'none'
}

/**
 * What a route needs. `public`: nothing. `user`: somebody is signed in. `admin`: a member of Nextcloud's admin group,
 * asked of Nextcloud. `nextcloud`: Nextcloud itself, in nobody's name (life cycle, occ).
 */
export type Right = 'public' | 'user' | 'admin' | 'nextcloud'

export interface RouteContext<Params, Query, Body> {
	caller: Caller
	params: Params
	query: Query
	body: Body
	request: Request
	/** Ends when the client is gone or the server stops: long waits must heed it. */
	signal: AbortSignal
}

export interface RouteAnswer {
	status: number
	/** Text, texts that are sent as they come, or anything else as JSON. */
	body: unknown
	headers?: Record<string, string>
}

export interface Route {
	method: 'get' | 'post' | 'put' | 'delete'
	/** With `{name}` for parameters, as OpenAPI writes it. */
	path: string
	right: Right
	summary: string
	params: z.ZodType | undefined
	query: z.ZodType | undefined
	headers: z.ZodType | undefined
	body: z.ZodType | undefined
	/** The good answer's status and shape. */
	answer: { status: number, schema: z.ZodType }
	/** Codes this route may refuse with, beyond those that every route has. */
	refusals: readonly string[]
	handle: (context: RouteContext<unknown, unknown, unknown>) => Promise<RouteAnswer>
}

export interface RouteSpec<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
	method: Route['method']
	path: string
	right: Right
	summary: string
	params?: Params
	query?: Query
	headers?: z.ZodType
	body?: Body
	answer: Route['answer']
	refusals?: readonly string[]
	handle: (context: RouteContext<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<RouteAnswer>
}

/** Keeps the types of one route together and forgets them for the list. */
export function route<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(spec: RouteSpec<Params, Query, Body>): Route {
	return {
		params: undefined,
		query: undefined,
		headers: undefined,
		body: undefined,
		refusals: [],
		...spec,
		handle: spec.handle as Route['handle'],
	}
}

/** Called with the caller; throws when the right is missing. */
export type RightsCheck = (caller: Caller, right: Right) => Promise<void>

/**
 * The Express handler of a route: right, then schemas, then the handler, then the answer.
 *
 * @param callerOf the caller that the authentication has put aside for this request
 * @param stopping ends with the server
 */
export function handlerOf(route: Route, callerOf: (request: Request) => Caller, checkRight: RightsCheck, stopping: AbortSignal): RequestHandler {
	return async (request, response) => {
		const caller = callerOf(request)
		await checkRight(caller, route.right)
		const answer = await route.handle({
			caller,
			params: parse(route.params, request.params, ''),
			query: parse(route.query, request.query, ''),
			body: parse(route.body, request.body, ''),
			request,
			signal: AbortSignal.any([stopping, goneSignal(response)]),
		})
		response.status(answer.status).set(answer.headers ?? {})
		// PHP makes a redirect of any answer with a Location, and the browser would follow it out of the app. Only Nextcloud's
		// PHP proxy sends this header (AppAPI's ExAppProxyController).
		if (request.headers['x-origin-ip'] !== undefined) {
			response.removeHeader('Location')
		}
		if (isTexts(answer.body)) {
			await sendTexts(answer.body, response)
		} else if (typeof answer.body === 'string') {
			response.send(answer.body)
		} else {
			response.json(answer.body)
		}
	}
}

/**
 * @throws {SipCallError} `invalid_request` with one line for each field
 */
export function parse<Schema extends z.ZodType>(schema: Schema | undefined, value: unknown, prefix: string): z.output<Schema> | undefined {
	if (schema === undefined) {
		return undefined
	}
	const result = schema.safeParse(value ?? {})
	if (!result.success) {
		const errors = result.error.issues.slice(0, 20).map((issue) => ({ field: `${prefix}${issue.path.map(String).join('.')}`, message: issue.message }))
		throw new SipCallError('invalid_request', `The request is not valid: ${errors.map(({ field, message }) => field === '' ? message : `${field}: ${message}`).join('; ')}.`, { errors })
	}
	return result.data
}

/**
 * Reads a number that stands in a field of the request.
 *
 * @throws {SipCallError} what `read` throws, with this field's name
 */
export function inField<Value>(field: string, read: () => Value): Value {
	try {
		return read()
	} catch (error) {
		if (error instanceof SipCallError) {
			throw new SipCallError(error.code, error.message, { cause: error.cause, extra: error.extra ?? {}, errors: [{ field, message: error.message }] })
		}
		throw error
	}
}

/**
 * Sends texts as they come. A fault before the first one is an ordinary one; after it the connection ends, so that half
 * an answer does not look like a whole one.
 */
async function sendTexts(texts: AsyncIterable<string>, response: Response): Promise<void> {
	const iterator = texts[Symbol.asyncIterator]()
	const first = await iterator.next()
	async function* all() {
		for (let next = first; next.done !== true; next = await iterator.next()) {
			yield next.value
		}
	}
	try {
		await pipeline(Readable.from(all(), { objectMode: false }), response)
	} catch (error) {
		// Whoever asked has gone: nobody is left to tell.
		if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) {
			throw error
		}
	} finally {
		await iterator.return?.()
	}
}

function isTexts(body: unknown): body is AsyncIterable<string> {
	return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

function goneSignal(response: Response): AbortSignal {
	const controller = new AbortController()
	response.on('close', () => controller.abort())
	return controller.signal
}
