// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// From a place that was kept to an originate that is written: at its turn, once, and not when nobody wants it any more.

import type { Call } from './call.ts'
import type { NoSlot, Slot, SlotKeeper } from './ports.ts'

import { SipCallError } from '../errors.ts'
import { OriginateRefused } from './ports.ts'

export interface Dialling {
	callSwitch: SlotKeeper
	/** Nobody waits for it any more. */
	signal?: AbortSignal
	/** Asked after each wait, right before it is written. `unknown`: nobody can tell, and somebody may have hung up elsewhere. */
	isWanted?: () => Promise<boolean | 'unknown'>
	/** Something else has taken its time before: it is asked in any case. */
	isLate?: boolean
}

/** An answer that took longer is asked for again before anything is dialled. */
export const FRESH_MS = 500
const FRESH_TRIES = 3

/**
 * Whether nobody has hung up a call that is not dialled yet, here or over another server. An answer that was long on its way
 * says what was so when it was given. Where nobody can be asked, what is known here counts, if there is no other server.
 *
 * @param find reads the call where all servers store it
 */
export async function isStillWanted(find: () => Promise<Pick<Call, 'hangupRequestedAt'> | undefined>, isAlone: () => boolean): Promise<boolean | 'unknown'> {
	for (let tries = 0; tries < FRESH_TRIES; tries++) {
		const asked = performance.now()
		try {
			const call = await find()
			if (call === undefined || call.hangupRequestedAt !== undefined) {
				return false
			}
		} catch {
			break
		}
		if (performance.now() - asked < FRESH_MS) {
			return true
		}
	}
	return isAlone() ? true : 'unknown'
}

/** The switch's own word for a call that is given up before it is answered. */
const GIVEN_UP = { cause: { name: 'ORIGINATOR_CANCEL', q850: 487 }, verdict: 'cancelled' } as const
const IN_DOUBT = { cause: { name: 'NETWORK_OUT_OF_ORDER', q850: 38 }, verdict: 'not_dialled' } as const

/**
 * Has an originate written by the node of a slot. Where that node certainly got nothing, because it went away meanwhile, the
 * next one gets it; whatever may have arrived goes to no other.
 *
 * @param write writes it, once
 * @throws {OriginateRefused} when it was certainly not taken; also when nobody wants it any more, or nobody knows whether somebody does
 * @throws {Error} when nobody can tell
 */
export async function dialInTurn(slot: Slot, { callSwitch, signal, isWanted, isLate = false }: Dialling, write: (node: string) => Promise<void>): Promise<void> {
	const tried = new Set<string>()
	for (let kept = slot; ;) {
		const hasWaited = await kept.turn(signal)
		const wanted = (hasWaited || isLate) && signal?.aborted !== true ? await isWanted?.() : undefined
		// It may have been heard of while it was asked for.
		if (signal?.aborted === true || wanted === false || wanted === 'unknown') {
			kept.release()
			throw new OriginateRefused(wanted === 'unknown' ? IN_DOUBT : GIVEN_UP)
		}
		try {
			await write(kept.node)
			kept.answered()
			return
		} catch (error) {
			if (!(error instanceof OriginateRefused) || !error.mayGoElsewhere) {
				kept.answered()
				throw error
			}
			kept.release()
			tried.add(kept.node)
			const next = callSwitch.reserve((node) => !tried.has(node))
			if ('refused' in next) {
				throw error
			}
			kept = next
		}
	}
}

/** @throws {SipCallError} `switch_unavailable` when there is no place */
export function needSlot(slot: Slot | NoSlot): Slot {
	if ('refused' in slot) {
		throw new SipCallError('switch_unavailable', WORDS[slot.refused], { retryAfterSec: slot.retryAfterSec })
	}
	return slot
}

const WORDS: Readonly<Record<NoSlot['refused'], string>> = {
	away: 'The phone system cannot be reached. Try again in a moment, and tell your administrator if it stays so.',
	full: 'The phone system takes no more calls at the moment. Try again in a moment, and tell your administrator if it stays so.',
	pace: 'The phone system takes only so many calls a second, and others were quicker. Nothing was dialled; try again in a moment.',
}
