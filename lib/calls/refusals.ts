// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Refusals of the policy as faults that a caller is told about.

import type { Refusal } from '../policy/refusal.ts'
import type { CallLimiter, CallQuota, Quota, QuotaRefusal } from './ports.ts'

import { SipCallError } from '../errors.ts'
import { ruleLabel } from '../policy/rules.ts'

const WINDOW_WORDS: Readonly<Record<CallQuota['kind'], string>> = {
	callsPerMinute: 'a minute',
	callsPerHour: 'an hour',
	callsPerDay: 'a day',
}

/** The end of a month is the latest that is worth telling. */
const LONGEST_WAIT_SEC = 32 * 86_400

/**
 * @throws {SipCallError} when there is a refusal
 */
export function refuse(refusal: Refusal | undefined, at: Date): void {
	if (refusal !== undefined) {
		throw refused(refusal, at)
	}
}

/** The fault of a refusal: who can mend it, which rule it is, and where it is a limit how far it is used. */
export function refused({ code, message, rule, fixableBy, untilAt, retryAfterSec, limit }: Refusal, at: Date): SipCallError {
	const waitSec = retryAfterSec ?? (untilAt === undefined ? undefined : Math.max(1, Math.ceil((untilAt.getTime() - at.getTime()) / 1000)))
	const isLimit = code === 'limit_reached' || code === 'rate_limited'
	return new SipCallError(code, message, {
		// An admin's lock may last for years: nobody waits for that.
		...(waitSec === undefined || waitSec > LONGEST_WAIT_SEC || !(isLimit || code === 'account_locked') ? {} : { retryAfterSec: waitSec }),
		...(isLimit && waitSec !== undefined ? { rateLimit: { policy: rule, quota: limit?.max ?? 1, windowSec: waitSec, remaining: 0, resetSec: waitSec } } : {}),
		extra: {
			refusal: { code, message, rule: { id: rule, label: ruleLabel(rule) }, fixableBy, ...(untilAt === undefined ? {} : { untilAt: untilAt.toISOString() }) },
			...(limit === undefined ? {} : { limits: [{ ...limit, ...(limit.resetsAt === undefined ? {} : { resetsAt: limit.resetsAt.toISOString() }) }] }),
		},
	})
}

/** The fault of a quota that is used up. */
export function rateLimited(refusal: QuotaRefusal<CallQuota>, at: Date): SipCallError {
	const { quota: { max, windowSec }, retryAfterSec } = refusal
	const error = refused(quotaRefusal(refusal, at), at)
	return new SipCallError(error.code, error.message, {
		retryAfterSec,
		rateLimit: { policy: refusal.quota.kind, quota: max, windowSec, remaining: 0, resetSec: retryAfterSec },
		extra: error.extra ?? {},
	})
}

/**
 * Counts one attempt at something that is no call.
 *
 * @param words what the person is told
 * @throws {SipCallError} `rate_limited`
 */
export async function countOrRefuse(limiter: Pick<CallLimiter, 'consume'>, key: string, quota: Quota, words: (waitSec: number) => string): Promise<void> {
	const refusal = await limiter.consume(key, [quota])
	if (refusal !== undefined) {
		const { retryAfterSec } = refusal
		throw new SipCallError('rate_limited', words(retryAfterSec), {
			retryAfterSec,
			rateLimit: { policy: quota.kind, quota: quota.max, windowSec: quota.windowSec, remaining: 0, resetSec: retryAfterSec },
		})
	}
}

/** The same, for those who only ask. */
export function quotaRefusal({ quota: { kind, max }, retryAfterSec }: QuotaRefusal<CallQuota>, at: Date): Refusal {
	const resetsAt = new Date(at.getTime() + retryAfterSec * 1000)
	const wait = retryAfterSec < 120 ? `${retryAfterSec} seconds` : `${Math.ceil(retryAfterSec / 60)} minutes`
	return {
		code: 'rate_limited',
		message: `You have started the ${max} calls that are allowed in ${WINDOW_WORDS[kind]}. Try again in ${wait}.`,
		rule: kind,
		fixableBy: 'user',
		untilAt: resetsAt,
		retryAfterSec,
		limit: { kind, used: max, max, resetsAt },
	}
}
