// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The commands on a call that is up. Every value goes through the whitelist, as in an originate.

import type { TransferPlan } from '../calls/ports.ts'

import { destinationDialString, EXTENSION_VARIABLE, extensionKeys, FINAL_CAUSES_UNFOLLOWED } from './dial-string.ts'
import { checked, seconds } from './whitelist.ts'

/** Hangs a leg up. */
export function killCommand(legUuid: string): string {
	return `api uuid_kill ${checked('channel', legUuid)}`
}

/**
 * Holds a leg or takes it back: the other side hears what is set as `hold_music` on the switch, and nothing of this
 * leg, whatever its phone does (`CF_SUSPEND` in FreeSWITCH's bridge).
 *
 * FreeSWITCH 1.10.12 answers `-ERR` when the leg is held already, and `+OK` also for a leg that it does not know.
 */
export function holdCommand(legUuid: string, isHeld: boolean): string {
	return `api uuid_hold ${isHeld ? '' : 'off '}${checked('channel', legUuid)}`
}

/** Sends keys out of the switch on a leg, to the party at its far end. */
export function digitsCommand(legUuid: string, digits: string): string {
	return `api uuid_send_dtmf ${checked('channel', legUuid)} ${checked('digits', digits)}`
}

/**
 * Takes a leg out of its bridge and joins it to a new destination; the leg it was joined to is hung up.
 *
 * `m:^:` makes `^` the separator of applications, of which there is one: no pattern of the whitelist has a `^`, a
 * space or a quote, so the argument is one word for whoever splits it.
 */
export function transferCommand(legUuid: string, plan: TransferPlan): string {
	const target = destinationDialString(plan, [
		// `application:argument` is the spelling without a space. The limit of the leg that is transferred stays as well: seen on 1.10.12.
		['execute_on_answer', `sched_hangup:+${seconds(plan.maxCallSec)}`],
		[EXTENSION_VARIABLE, plan.extension === undefined ? undefined : `send_dtmf:${extensionKeys(plan.extension)}`],
		// Without a number of our own the switch would assert that of the person who is transferred.
		['sip_cid_type', plan.callerId === undefined ? 'none' : undefined],
	], FINAL_CAUSES_UNFOLLOWED)
	return `api uuid_transfer ${checked('channel', legUuid)} m:^:bridge:${target} inline`
}
