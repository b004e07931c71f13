// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The variables that only HANGUP_COMPLETE and DESTROY have: times and durations, as `switch_channel_set_timestamps` writes them. */

import type { Leg, Times } from './leg.ts'

import { q850 } from './causes.ts'
import { VARIABLES } from './templates.ts'

/** `2026-11-22 13:31:09` */
export function stamp(microseconds: number): string {
	return new Date(microseconds / 1000).toISOString().slice(0, 19).replace('T', ' ')
}

/** Durations are differences of whole seconds, not rounded differences. */
function between(from: number, to: number): { sec: string, msec: string, usec: string } {
	if (from === 0 || to === 0) {
		return { sec: '0', msec: '0', usec: '0' }
	}
	return {
		sec: String(Math.floor(to / 1e6) - Math.floor(from / 1e6)),
		msec: String(Math.floor((to - from) / 1000)),
		usec: String(to - from),
	}
}

function setTimes(leg: Leg, times: Times): void {
	const moments: [name: string, at: number][] = [
		['start', times.created],
		['profile_start', times.created],
		['answer', times.answered],
		['bridge', times.bridged],
		['progress', times.progress],
		['progress_media', times.progressMedia],
		['end', times.hangup],
	]
	for (const [name, at] of moments) {
		if (at > 0) {
			leg.set(`${name}_stamp`, stamp(at))
		}
	}
	const epoch = (name: string, at: number) => leg.setAll({ [`${name}_epoch`]: String(Math.floor(at / 1e6)), [`${name}_uepoch`]: String(at) })
	moments.slice(0, 4).forEach(([name, at]) => epoch(name, at))
	epoch('last_hold', 0)
	leg.setAll({ hold_accum_seconds: '0', hold_accum_usec: '0', hold_accum_ms: '0' })
	epoch('resurrect', 0)
	moments.slice(4).forEach(([name, at]) => epoch(name, at))
}

/** Fills in everything that is known only at the end. */
export function setFinalVariables(leg: Leg): void {
	const { times, profile } = leg
	const cause = leg.ending?.cause ?? 'NORMAL_CLEARING'
	leg.setAll({ hangup_cause: cause, hangup_cause_q850: String(q850(cause)), digits_dialed: 'none' })
	setTimes(leg, times)
	const application = leg.variables.get('current_application')
	if (application !== undefined) {
		leg.set('last_app', application)
		const argument = leg.variables.get('current_application_data')
		if (argument !== undefined) {
			leg.set('last_arg', argument)
		}
	}
	leg.set('caller_id', profile.callerName === '' ? profile.callerNumber : `"${profile.callerName}" <${profile.callerNumber}>`)
	const durations = [
		['duration', between(times.created, times.hangup)],
		['bill', between(times.answered, times.hangup)],
		['progress', between(times.created, times.progress)],
		['answer', between(times.created, times.answered)],
		['wait', between(times.created, times.bridged)],
		['progress_media', between(times.created, times.progressMedia)],
		['flow_bill', times.answered > 0 ? between(times.created, times.hangup) : between(0, 0)],
	] as const
	for (const unit of ['sec', 'msec', 'usec'] as const) {
		for (const [name, length] of durations) {
			leg.set(name === 'duration' ? `${unit.slice(0, -3)}duration` : `${name}${unit}`, length[unit])
		}
	}
}

/** How the dialogue ended on the wire, unless the far end already said so, and what the media engine counted. */
export function setFarewell(leg: Leg): void {
	if (!leg.variables.has('sip_hangup_disposition')) {
		leg.set('sip_hangup_disposition', leg.answered ? 'send_bye' : 'send_cancel')
		if (!leg.answered) {
			leg.setAll({ sip_invite_failure_status: '487', sip_invite_failure_phrase: 'CANCEL' })
		}
	}
	if (leg.hasMedia) {
		leg.setAll(VARIABLES.rtp)
	}
}
