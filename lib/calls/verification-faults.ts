// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a person is told when a phone cannot be verified.

import type { QuotaRefusal } from './ports.ts'

import { SipCallError } from '../errors.ts'

const DAY_SEC = 86_400

export function wrongCode(triesLeft: number, next: Date): SipCallError {
	const advice = triesLeft === 0 ? 'Ask for a new call.' : `${triesLeft === 1 ? 'One try is' : `${triesLeft} tries are`} left.`
	return new SipCallError('wrong_code', `That code is not right. ${advice}`, { extra: { triesLeft, nextCallAt: next.toISOString() } })
}

export function spent(next: Date, now: Date): SipCallError {
	return new SipCallError('limit_reached', 'Too many wrong codes. Ask for a new call.', {
		retryAfterSec: Math.max(1, Math.ceil((next.getTime() - now.getTime()) / 1000)),
		extra: { triesLeft: 0, nextCallAt: next.toISOString() },
	})
}

export function limitReached({ quota: { kind, max, windowSec }, retryAfterSec }: QuotaRefusal, now: Date): SipCallError {
	const message = windowSec === DAY_SEC
		? `${kind === 'verificationsOfPhonePerDay' ? 'This phone has' : 'Your phones have'} been called with a code ${max} times within a day. Try again tomorrow.`
		: `SIPCall has called with a code a moment ago. You can ask for a new call in ${retryAfterSec} seconds.`
	return new SipCallError('limit_reached', message, {
		retryAfterSec,
		rateLimit: { policy: kind, quota: max, windowSec, remaining: 0, resetSec: retryAfterSec },
		extra: { nextCallAt: new Date(now.getTime() + retryAfterSec * 1000).toISOString() },
	})
}

export function wrongState(message: string): SipCallError {
	return new SipCallError('wrong_state', message)
}

export function unavailable(retryAfterSec: number, cause?: unknown): SipCallError {
	return new SipCallError('switch_unavailable', 'The phone system cannot call you at the moment. Try again, and tell your administrator if it stays so.', { retryAfterSec, cause })
}
