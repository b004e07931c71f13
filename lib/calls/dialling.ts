// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// From a place that was kept to an originate that is written: at its turn, once, and not when nobody wants it any more.

import type { NoSlot, Slot, SlotKeeper } from './ports.ts'

import { SipCallError } from '../errors.ts'
import { OriginateRefused } from './ports.ts'

export interface Dialling {
	callSwitch: SlotKeeper
	/** Nobody waits for it any more. */
	signal?: AbortSignal
	/** Asked after each wait, right before it is written. */
	isWanted?: () => Promise<boolean>
}

/** The switch's own word for a call that is given up before it is answered. */
const GIVEN_UP = { cause: { name: 'ORIGINATOR_CANCEL', q850: 487 }, verdict: 'cancelled' } as const

/**
 * Has an originate written by the node of a slot. Where that node certainly got nothing, because it went away meanwhile, the
 * next one gets it; whatever may have arrived goes to no other.
 *
 * @param write writes it, once
 * @throws {OriginateRefused} when it was certainly not taken; also when nobody wants it any more
 * @throws {Error} when nobody can tell
 */
export async function dialInTurn(slot: Slot, { callSwitch, signal, isWanted }: Dialling, write: (node: string) => Promise<void>): Promise<void> {
	const tried = new Set<string>()
	for (let kept = slot; ;) {
		const hasWaited = await kept.turn(signal)
		if (signal?.aborted === true || (hasWaited && await isWanted?.() === false)) {
			kept.release()
			throw new OriginateRefused(GIVEN_UP)
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
