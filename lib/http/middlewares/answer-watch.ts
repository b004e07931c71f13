// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Request, RequestHandler } from 'express'

/** For whoever counts: nothing in it was chosen by the client. */
export interface AnsweredRequest {
	method: string
	/** As the routes are written, `/call/{uuid}`; empty where none answered. */
	route: string
	status: number
	seconds: number
	/** The problem's code, where it was one. */
	code?: string
	/** The rule of the policy that refused. */
	rule?: string
}

/** Tells of every answer once it is out, or once its client has gone. */
export function answerWatch(onAnswered: (answer: AnsweredRequest) => void): RequestHandler {
	return (request, response, next) => {
		const began = performance.now()
		response.once('close', () => {
			const { problemCode: code, problemRule: rule } = response.locals as { problemCode?: string, problemRule?: string }
			onAnswered({
				method: request.method,
				route: routeOf(request),
				status: response.statusCode,
				seconds: (performance.now() - began) / 1000,
				...(code === undefined ? {} : { code }),
				...(rule === undefined ? {} : { rule }),
			})
		})
		next()
	}
}

function routeOf(request: Request): string {
	const { path } = (request.route ?? {}) as { path?: unknown }
	return typeof path === 'string' ? path.replaceAll(/:(\w+)/g, '{$1}') : ''
}
