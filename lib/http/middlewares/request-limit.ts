// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How many requests one caller may make at all. Counted in memory: it keeps this process alive, and must cost nothing;
// what keeps money is counted elsewhere (lib/redis/call-limiter.ts).

import type { Request, RequestHandler } from 'express'
import type { Caller } from '../route.ts'

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { SipCallError } from '../../errors.ts'

export interface RequestLimits {
	/** Of a signed-in user: a page polls once a second while a call is live. */
	userPerMinute: number
	/** Of an address from which nobody has proven anything. */
	addressPerMinute: number
	/** Of an address, for beginning to sign in. */
	authPerMinute: number
}

export const REQUEST_LIMITS: RequestLimits = { userPerMinute: 1200, addressPerMinute: 600, authPerMinute: 60 }

/** Renewing and ending a sign-in are not among them: whoever does that has a token, and many may share one address. */
const AUTH = /^\/auth(?:\/login)?$/
/** Nextcloud's own calls. A visitor of a public address comes with the same proof through HaRP. */
const OF_NEXTCLOUD = /^\/(?:init|enabled|setup_checks|occ\/.*)$/

/**
 * Refuses with 429 `rate_limited`. Nextcloud's own calls (life cycle, occ) are not counted.
 *
 * @param callerOf the caller that the authentication has put aside
 */
export function requestLimit({ userPerMinute, addressPerMinute, authPerMinute }: RequestLimits, callerOf: (request: Request) => Caller): RequestHandler {
	const limiterOf = (points: number) => new RateLimiterMemory({ points, duration: 60 })
	const limiters = { user: limiterOf(userPerMinute), address: limiterOf(addressPerMinute), auth: limiterOf(authPerMinute) }
	const quotas = { user: userPerMinute, address: addressPerMinute, auth: authPerMinute }
	return async (request, _response, next) => {
		const { userId, proof, address } = callerOf(request)
		if (proof === 'nextcloud' && userId === '' && OF_NEXTCLOUD.test(request.path)) {
			next()
			return
		}
		const kind = AUTH.test(request.path) ? 'auth' : userId === '' ? 'address' : 'user'
		try {
			await limiters[kind].consume(kind === 'user' ? userId : address ?? request.socket.remoteAddress ?? 'unknown')
		} catch (refusal) {
			if (!(refusal instanceof RateLimiterRes)) {
				throw refusal
			}
			const waitSec = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
			throw new SipCallError('rate_limited', `Too many requests. Try again in ${waitSec} seconds.`, {
				retryAfterSec: waitSec,
				rateLimit: { policy: `${kind}RequestsPerMinute`, quota: quotas[kind], windowSec: 60, remaining: 0, resetSec: waitSec },
			})
		}
		next()
	}
}
