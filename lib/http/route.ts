// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A route is data: what it needs and gives stands beside it, and every check is made in one place before its handler.

import type { Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import type { FieldError } from '../errors.ts'

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SipCallError } from '../errors.ts'

/** Who asks, once the proof is checked. */
export interface Caller {
	/** Empty for Nextcloud itself, and for nobody. */
	userId: string
	/** `nextcloud`: AppAPI's headers; `token`: our own bearer token; `none`: nobody has proven anything. */
	proof: 'nextcloud' | 'token' | 'none'
	/** Of the visitor, where Nextcloud's PHP proxy vouches for it. */
	address?: string
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
	/** A `TextStream` is sent piece by piece, at the client's pace; everything else is text for a console, or JSON. */
	body: unknown
	headers?: Record<string, string>
}

/** Text that is made while it is sent. */
export class TextStream {
	readonly pieces: AsyncIterable<string>

	constructor(pieces: AsyncIterable<string>) {
		this.pieces = pieces
	}
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
	answer: {
		status: number
		schema: z.ZodType
		/** What it is when it is neither JSON nor plain text. */
		mediaType?: string
		/** What else a client may ask for by `Accept`. */
		alsoAs?: string
	}
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
		// The first piece is made before anything is promised, so that a fault at the beginning is still a proper answer.
		const stream = answer.body instanceof TextStream ? await begin(answer.body) : undefined
		response.status(answer.status).set(answer.headers ?? {})
		// PHP makes a redirect of any answer with a Location, and the browser would follow it out of the app. Only Nextcloud's
		// PHP proxy sends this header (AppAPI's ExAppProxyController).
		if (request.headers['x-origin-ip'] !== undefined) {
			response.removeHeader('Location')
		}
		if (stream !== undefined) {
			await send(stream, request, response)
		} else if (typeof answer.body === 'string') {
			response.send(answer.body)
		} else {
			response.json(answer.body)
		}
	}
}

/** No generator: one that was never begun would not pass its end on. */
class BegunStream implements AsyncIterable<string> {
	readonly #iterator: AsyncIterator<string>
	#first: IteratorResult<string> | undefined

	constructor(iterator: AsyncIterator<string>, first: IteratorResult<string>) {
		this.#iterator = iterator
		this.#first = first
	}

	[Symbol.asyncIterator](): AsyncIterator<string> {
		return {
			next: async () => {
				const next = this.#first ?? await this.#iterator.next()
				this.#first = undefined
				return next
			},
			return: async () => {
				await this.end()
				return { done: true, value: undefined }
			},
		}
	}

	async end(): Promise<void> {
		await this.#iterator.return?.()
	}
}

async function begin({ pieces }: TextStream): Promise<BegunStream> {
	const iterator = pieces[Symbol.asyncIterator]()
	return new BegunStream(iterator, await iterator.next())
}

/** A fault on the way breaks the connection off: a client must not take a part for the whole. */
async function send(stream: BegunStream, request: Request, response: Response): Promise<void> {
	if (request.method === 'HEAD') {
		await stream.end()
		response.end()
		return
	}
	try {
		await pipeline(Readable.from(stream, { highWaterMark: 1 }), response)
	} catch (error) {
		// Whoever reads may leave at any time.
		if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) {
			throw error
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
		throw invalidRequest(errors)
	}
	return result.data
}

/** What is wrong with a request, field by field. */
export function invalidRequest(errors: FieldError[]): SipCallError {
	return new SipCallError('invalid_request', `The request is not valid: ${errors.map(({ field, message }) => field === '' ? message : `${field}: ${message}`).join('; ')}.`, { errors })
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

function goneSignal(response: Response): AbortSignal {
	const controller = new AbortController()
	response.on('close', () => controller.abort())
	return controller.signal
}
