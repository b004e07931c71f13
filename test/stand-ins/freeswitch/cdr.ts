// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** A channel's call record, as `switch_ivr_generate_json_cdr` builds it and mod_json_cdr names it. */

import type { CdrFile } from './contract.ts'
import type { Leg } from './leg.ts'

/** `SWITCH_URL_UNSAFE`, and what is not printable ASCII. */
const UNSAFE = /[^!$'()*,./0-9A-Z_a-z~-]/g

/** What an escape looks like already is left alone (`switch_url_encode`). */
export function urlEncode(text: string): string {
	return text.replace(/%[0-9A-F]{2}|./gs, (part) => part.length === 3 ? part : part.replace(UNSAFE, (character) => [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')))
}

export function cdrOf(leg: Leg, coreUuid: string, { encodeValues = true }: { encodeValues?: boolean } = {}): CdrFile {
	const { times, profile } = leg
	const variables = [...leg.variables].filter(([, value]) => value !== '').map(([name, value]) => [name, encodeValues ? urlEncode(value) : value])
	return {
		name: `${leg.uuid}.cdr.json`,
		text: JSON.stringify({
			'core-uuid': coreUuid,
			switchname: 'fs.example',
			channel_data: { state: 'CS_REPORTING', direction: 'outbound', state_number: '11' },
			callStats: {},
			variables: Object.fromEntries(variables) as Record<string, string>,
			callflow: [{
				profile_index: '1',
				caller_profile: { caller_id_name: profile.callerName, caller_id_number: profile.callerNumber, destination_number: profile.destination, uuid: leg.uuid, chan_name: leg.name },
				times: { created_time: String(times.created), answered_time: String(times.answered), hangup_time: String(times.hangup) },
			}],
		}),
	}
}
