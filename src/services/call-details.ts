// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './types.ts'

/** The cause as phone people read it: `Q.850 17 / SIP 486`, and what the phone company adds. */
export function causeWords({ cause }: Pick<Call, 'cause'>): string | undefined {
	if (cause === undefined) {
		return undefined
	}
	return [`Q.850 ${cause.q850}`, ...(cause.sip === undefined ? [] : [`SIP ${cause.sip}`]), ...(cause.carrier === undefined ? [] : [cause.carrier])].join(' / ')
}

/**
 * What whoever looks into a problem needs: when, which call, which code. For people of every language, so not translated.
 * Never the number, nor a name.
 */
export function callDetails(call: Call): string {
	const cause = causeWords(call)
	return [
		`Time: ${call.createdAt}`,
		`Call: ${call.uuid}`,
		`Ended as: ${[call.outcome, call.leg, call.endedBy].filter(Boolean).join(', ') || call.status}`,
		...(call.reason === undefined ? [] : [`Code: ${call.reason.code}`]),
		...(cause === undefined ? [] : [`Cause: ${call.cause?.name} (${cause})`]),
	].join('\n')
}
