// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A call record of FreeSWITCH's mod_json_cdr, one for each leg, into what the leg's last event would have told. Pure.

import type { LegReport } from '../calls/call-events.ts'
import type { LegRole } from '../calls/call.ts'
import type { ExplainFailure } from '../calls/trunk-provider.ts'
import type { WireEvent } from './wire-event.ts'

import { parseEvent } from './event-parser.ts'
import { percentDecode } from './wire-event.ts'

export interface LegRecord {
	report: LegReport
	/** Where the channel bears our variables. */
	callUuid?: string
	role?: LegRole
}

/** The variables with a channel's times, in microseconds since 1970 (`switch_channel_set_timestamps`). */
const TIMES = {
	'Caller-Channel-Progress-Time': 'progress_uepoch',
	'Caller-Channel-Progress-Media-Time': 'progress_media_uepoch',
	'Caller-Channel-Answered-Time': 'answer_uepoch',
} as const

const FORM = 'cdr='

/**
 * Reads a call record (`switch_ivr_generate_json_cdr`).
 *
 * @param body as it was posted, or as it lies in the error directory: JSON, or that in base64, when posted behind `cdr=`. The
 * content type does not tell: with `disable-100-continue` the module forgets its own. With `encode` as `true` it percent-encodes
 * all, but leaves alone what looks like an escape already (`switch_url_encode`): a party of the call could close a text with
 * `%22` in a name and write on, so that form is not read
 * @param now when it came; no leg can have ended later
 * @return undefined when it is no call record
 */
export function parseCdr(body: Buffer, now: Date, explainFailure?: ExplainFailure): LegRecord | undefined {
	const variables = variablesOf(jsonOf(body))
	const legUuid = variables?.uuid ?? ''
	if (variables === undefined || legUuid === '') {
		return undefined
	}
	const [endedAt, createdAt] = [timeOf(variables.end_uepoch, now), timeOf(variables.start_uepoch, now)]
	const parsed = parseEvent(eventOf(variables, legUuid), endedAt ?? now, explainFailure)
	if (parsed?.type !== 'leg') {
		return undefined
	}
	const { report, callUuid, role } = parsed
	return {
		report: { ...report, at: now, ...(endedAt === undefined ? {} : { endedAt }), ...(createdAt === undefined ? {} : { createdAt }) },
		...(callUuid === undefined ? {} : { callUuid }),
		...(role === undefined ? {} : { role }),
	}
}

/** As the channel's CHANNEL_HANGUP_COMPLETE, sent at the moment of its end. */
function eventOf(variables: Readonly<Record<string, string>>, legUuid: string): WireEvent {
	return {
		...Object.fromEntries(Object.entries(variables).map(([name, value]) => [`variable_${name}`, value])),
		...Object.fromEntries(Object.entries(TIMES).map(([header, name]) => [header, variables[name] ?? '0'])),
		'Event-Name': 'CHANNEL_HANGUP_COMPLETE',
		'Event-Date-Timestamp': variables.end_uepoch ?? '0',
		'Unique-ID': legUuid,
	}
}

/** Names may be in Latin-1 (`encode-values` off): nothing of a name is used, so it must not make the rest unreadable. */
function jsonOf(body: Buffer): unknown {
	const text = body.toString('utf8').trim()
	const plain = text.startsWith(FORM) ? text.slice(FORM.length) : text
	try {
		return JSON.parse(plain.startsWith('{') ? plain : Buffer.from(plain, 'base64').toString('utf8'))
	} catch {
		return undefined
	}
}

/** The channel's variables; each value is percent-encoded unless `encode-values` is off. */
function variablesOf(cdr: unknown): Record<string, string> | undefined {
	const variables: unknown = typeof cdr === 'object' && cdr !== null && 'variables' in cdr ? cdr.variables : undefined
	if (typeof variables !== 'object' || variables === null || Array.isArray(variables)) {
		return undefined
	}
	return Object.fromEntries(Object.entries(variables).flatMap(([name, value]) => typeof value === 'string' ? [[name, percentDecode(value)]] : []))
}

function timeOf(micros: string | undefined, now: Date): Date | undefined {
	const ms = Math.floor(Number(micros ?? 0) / 1000)
	return Number.isSafeInteger(ms) && ms > 0 ? new Date(Math.min(ms, now.getTime())) : undefined
}
