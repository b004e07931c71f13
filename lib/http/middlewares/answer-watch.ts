// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Request, RequestHandler } from 'express'
import type { TimeSpent } from '../../time-spent.ts'

import { watchTime } from '../../time-spent.ts'

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

/** The same, for whoever looks for one request. */
export interface AnswerDetails {
	requestId: string
	/** Empty: nobody, or Nextcloud itself. */
	userId: string
	/** Of the body, as it was announced. */
	requestBytes: number
	/** Of the whole answer. */
	responseBytes: number
	/** Which parts were waited for. */
	spent: TimeSpent
}

/** Tells of every answer once it is out, or once its client has gone. */
export function answerWatch(onAnswered: (answer: AnsweredRequest, details: AnswerDetails) => void): RequestHandler {
	return (request, response, next) => {
		const began = performance.now()
		const spent: TimeSpent = new Map()
		const { socket } = request
		// The connection may have carried other answers before.
		const writtenBefore = socket.bytesWritten
		response.once('close', () => {
			const { problemCode: code, problemRule: rule, requestId, userId } = response.locals as { problemCode?: string, problemRule?: string, requestId?: string, userId?: string }
			onAnswered({
				method: request.method,
				route: routeOf(request),
				status: response.statusCode,
				seconds: (performance.now() - began) / 1000,
				...(code === undefined ? {} : { code }),
				...(rule === undefined ? {} : { rule }),
			}, {
				requestId: requestId ?? '',
				userId: userId ?? '',
				requestBytes: Number(request.headers['content-length'] ?? 0),
				responseBytes: socket.bytesWritten - writtenBefore,
				spent,
			})
		})
		watchTime(spent, next)
	}
}

function routeOf(request: Request): string {
	const { path } = (request.route ?? {}) as { path?: unknown }
	return typeof path === 'string' ? path.replaceAll(/:(\w+)/g, '{$1}') : ''
}
