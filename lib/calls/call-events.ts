// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Cause, HangupBy, LegEnd, LegRole, Verdict } from './call.ts'

/**
 * What can happen to a call. A leg's report tells everything that is known of the channel at that moment, not only
 * what is new: the switch repeats it in each event, so a lost event is made good by the next one.
 */
export type CallEvent
	= | LegReport
		/** The switch has no such channel: it ended and nobody told us, or it never came to be. */
		| { type: 'leg_gone', legUuid: string, at: Date }
		/** The originate job has ended well: the A leg was answered. Nothing is said of the B leg. */
		| { type: 'originate_done', at: Date }
		/** The originate was refused or its job ended with an error. */
		| { type: 'originate_failed', at: Date, cause: Cause, verdict: Verdict }
		| { type: 'hangup_requested', at: Date, by: HangupBy }
		/** The destination is about to be handed over; stored before the switch is told. */
		| { type: 'transfer_asked', at: Date }
		/** The switch's answer to that. */
		| { type: 'transfer_answered', at: Date, isDone: boolean }

export interface LegReport {
	type: 'leg'
	legUuid: string
	/** When it was told. */
	at: Date
	/** Where it is known: what comes as an event was told when it happened. */
	createdAt?: Date
	ringingAt?: Date
	answeredAt?: Date
	held?: boolean
	end?: LegEnd
	/** The node of the switch that tells it. */
	node?: string
	/** When the leg ended, of an end that may be told long after. */
	endedAt?: Date
}

/** What has happened to one call, as it is kept while it cannot be stored. */
export interface CallChange {
	callUuid: string
	event: CallEvent
	/** Of a leg that the call may not have yet. */
	role?: LegRole
	/** The event is an end that is told late, or once more. */
	isRecord?: true
}

/** One line of a call's own history, for `GET /call/{uuid}/events`. */
export interface CallLogEntry {
	at: Date
	type: 'queued' | 'originate_failed' | 'leg_created' | 'leg_ringing' | 'leg_answered' | 'leg_ended' | 'leg_gone'
		| 'held' | 'unheld' | 'hangup_requested' | 'ended' | 'corrected' | 'transfer_asked' | 'transferred' | 'transfer_refused' | 'annotated'
	leg?: LegRole
	/** Codes and names only, never a number or a text that somebody typed. */
	detail?: Record<string, string | number>
}
