// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'
import type { Settings } from '../policy/settings.ts'
import type { CallingUser } from './call-rules.ts'
import type { OnRefused } from './noteworthy.ts'
import type { CallLimiter, Clock } from './ports.ts'

import { readingFor } from './call-rules.ts'
import { noteworthyRefusal, suspiciousRule } from './noteworthy.ts'

export interface LockoutOptions {
	limiter: CallLimiter
	settings: () => Settings
	onRefused: OnRefused
	/** Stored, so that a lock outlives a restart. */
	lock: (userId: string, until: Date, by: 'refusals', at: Date) => Promise<void>
	/** Told after somebody was locked. */
	onLocked: (userId: string, until: Date) => void
	clock: Clock
	logger: Logger
}

/** Locks the calling of a user who keeps trying what is not allowed. Mistyped numbers never count. */
export class Lockout {
	readonly #options: LockoutOptions
	/** Whom this process has locked, and until when. */
	readonly #locked = new Map<string, Date>()

	constructor(options: LockoutOptions) {
		this.#options = options
	}

	/** How many are locked as far as this process knows: for a glance, not for a decision. */
	count(): number {
		const now = this.#options.clock.now()
		return [...this.#locked.values()].filter((until) => until.getTime() > now.getTime()).length
	}

	/** Takes up who was locked before the start. */
	take(locked: ReadonlyMap<string, Date>): void {
		for (const [userId, until] of locked) {
			this.#locked.set(userId, until)
		}
	}

	/** An admin has unlocked somebody. */
	release(userId: string): void {
		this.#locked.delete(userId)
	}

	/**
	 * Tells of a refusal that somebody should be able to look up, and counts it when it is one that counts; never rejects.
	 *
	 * @param to as it was typed
	 */
	async note(user: Pick<CallingUser, 'id' | 'country'>, to: string, error: unknown): Promise<void> {
		const userId = user.id
		const { limiter, settings, onRefused, lock, onLocked, clock, logger } = this.#options
		const refusal = noteworthyRefusal(error, to, readingFor(user, settings()))
		if (refusal !== undefined) {
			onRefused(userId, refusal)
		}
		const rule = settings().lockAfterRefusals
		if (rule === null || suspiciousRule(error) === undefined) {
			return
		}
		const quota = { kind: 'refusals', max: rule.count - 1, windowSec: rule.windowMin * 60, isFullInMemory: true as const }
		try {
			// The one that reaches the count locks: what the quota lets through is one less.
			if (quota.max > 0 && await limiter.consume(userId, [quota]) === undefined) {
				return
			}
			const now = clock.now()
			const until = new Date(now.getTime() + rule.lockMin * 60_000)
			await lock(userId, until, 'refusals', now)
			this.#locked.set(userId, until)
			if (quota.max > 0) {
				await limiter.forget(userId, quota)
			}
			logger.warn('Calling was locked for a user after too many calls that are not allowed', { lockMin: rule.lockMin })
			onLocked(userId, until)
		} catch (fault) {
			logger.error('A refused call could not be counted', { error: fault })
		}
	}
}
