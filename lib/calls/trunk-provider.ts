// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the company behind the trunk can be asked, in our words. One that has no interface can do none of it, and calls
// are placed all the same: nothing in here is waited for before a call.

import type { Money } from '../policy/rates.ts'
import type { Verdict } from './call.ts'

/** What is wrong with the way to the company, or with what it knows of the trunk. */
export type CarrierFault
	/** No answer, or none that can be read. */
	= | 'unreachable'
		/** Asked too often: it is left alone for a while. */
		| 'limited'
		| 'key_refused'
		/** The key is right, but may not read the account's balance. */
		| 'balance_not_told'
		| 'account_blocked'
		| 'no_credit'
		/** None of the company's trunks is told to be ours, and there are several or none. */
		| 'trunk_unknown'
		| 'trunk_off'
		/** The trunk has no rules for calls that go out, so none does. */
		| 'no_profile'
		| 'profile_off'
		/** The company's own limit on a day's spending is switched off. */
		| 'no_spend_limit'

export interface CarrierHealth {
	faults: CarrierFault[]
	/** What may still be spent; undefined = not told. */
	credit: Money | undefined
	/** How long the last answer took. */
	latencyMs: number | undefined
}

/** What the company lets through. A field that is left out is not limited, or not known. */
export interface CarrierLimits {
	/** ISO 3166. */
	countries?: readonly string[]
	dailySpend?: Money
	concurrentCalls?: number
	/** Dearer numbers are refused. */
	maxPerMinute?: Money
}

/** One leg as the company has it in its books. */
export interface CostRecord {
	/** The record's own; when it is priced anew it stays the same. */
	id: string
	/** SIP `Call-ID`, which is our leg's uuid. */
	sipCallId: string
	/** undefined = not rated yet, which is not the same as nothing. */
	cost: Money | undefined
}

/** What a line is, in the company's books. */
export type LineType = 'fixed' | 'mobile' | 'voip' | 'toll_free' | 'premium' | 'shared_cost' | 'other'

/** What the company knows of a number; what it does not say is left out. */
export interface NumberFacts {
	/** ISO 3166. */
	country?: string
	lineType?: LineType
	/** Whose number it is now. */
	carrier?: string
	/** Whether it was given out by another one. */
	isPorted?: boolean
}

/** How a leg was refused by SIP. */
export interface SipFailure {
	status: number | undefined
	/** The reason phrase (RFC 3261 section 7.2), in which companies say more than the status does. */
	phrase: string | undefined
}

/** What a refusal means, and the company's own code for it. */
export type ExplainFailure = (failure: SipFailure) => { verdict: Verdict, code: string } | undefined

/** A company. Whatever it cannot be asked is left out. */
export interface TrunkProvider {
	/** As in the settings. */
	readonly kind: string
	/** A name, in no language. */
	readonly displayName: string
	/** Never rejects. */
	health?: () => Promise<CarrierHealth>
	/** What was told last, if that was not long ago; it never waits, and asks again behind. */
	limits?: () => CarrierLimits | undefined
	/** All numbers that may be shown, E.164; undefined = not told. */
	callerIds?: () => Promise<ReadonlySet<string> | undefined>
	/**
	 * The records of calls that began in a time, as far as they are there.
	 *
	 * @throws {Error} when it cannot be asked
	 */
	costs?: (from: Date, to: Date) => AsyncIterable<CostRecord>
	/**
	 * What the company knows of a number, E.164. It charges for each, so it is there only where the settings say so, and
	 * asked only when an administrator wants to know.
	 *
	 * @throws {Error} when it cannot be asked, or knows nothing of it
	 */
	lookup?: ((number: string) => Promise<NumberFacts>) | undefined
	/** What a refusal means, where it is the company's own and not the destination's. */
	explainFailure?: ExplainFailure
}
