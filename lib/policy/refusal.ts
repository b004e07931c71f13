// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ErrorCode } from '../errors.ts'

/** How far a limit is used. */
export interface LimitState {
	/** The setting that says it. */
	kind: string
	/** Left out where it would tell what others do. */
	used?: number
	max?: number
	/** When there is room again for certain. */
	resetsAt?: Date
	/** IANA zone whose day or month it is. */
	timeZone?: string
}

/** Why a call may not be placed. */
export interface Refusal {
	code: Extract<ErrorCode, 'destination_not_allowed' | 'caller_id_not_allowed' | 'calling_not_permitted' | 'account_locked' | 'limit_reached' | 'already_in_call' | 'rate_limited'>
	message: string
	/** The rule that decides, by the name of its setting where it has one. */
	rule: string
	fixableBy: 'user' | 'admin' | 'nobody'
	/** When it will be allowed by itself. */
	untilAt?: Date
	/** Seconds, where no moment is known. */
	retryAfterSec?: number
	limit?: LimitState
}
