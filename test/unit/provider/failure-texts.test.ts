// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a refusal by the phone company becomes: from the wire event of a leg's end to what the person reads.

import type { Call } from '../../../lib/calls/call.ts'

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { reasonFor, REASONS } from '../../../lib/calls/reasons.ts'
import { parseEvent } from '../../../lib/esl/event-parser.ts'
import { causeOf, CAUSES, verdictOf } from '../../../lib/esl/hangup-causes.ts'
import { openProvider } from '../../../lib/provider/index.ts'
import { TELNYX_CODES } from '../../../lib/provider/telnyx.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { newCall, playCall } from '../../support/replay-call.ts'

const A = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
const B = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'
const NOW = new Date('2026-11-28T12:00:00.000Z')
const CONTEXT = { logger: new RecordedLog(), now: () => NOW.getTime() }
const telnyx = openProvider({ kind: 'telnyx', apiKey: 'KEY' }, CONTEXT)
const generic = openProvider({ kind: 'generic' }, CONTEXT)

/** A call whose destination was refused, and whose user's leg ended as FreeSWITCH ends it then. */
function refused(cause: string, sip: number, phrase: string, provider = telnyx, answeredFirst = false): Call {
	const events = [
		{ 'Event-Name': 'CHANNEL_ANSWER', 'Unique-ID': A },
		{ 'Event-Name': 'CHANNEL_CREATE', 'Unique-ID': B },
		...(answeredFirst ? [{ 'Event-Name': 'CHANNEL_ANSWER', 'Unique-ID': B }] : []),
		{ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', 'Unique-ID': B, variable_hangup_cause: cause, variable_sip_term_status: String(sip), variable_sip_invite_failure_phrase: phrase, variable_sip_hangup_disposition: 'recv_refuse', ...(answeredFirst ? { 'Caller-Channel-Answered-Time': '1', variable_billmsec: '4200' } : {}) },
		{ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', 'Unique-ID': A, variable_hangup_cause: 'NORMAL_CLEARING', variable_sip_hangup_disposition: 'send_bye' },
	]
	const reports = events.map((event) => parseEvent(event, NOW, provider.explainFailure)).flatMap((event) => event?.type === 'leg' ? [event.report] : [])
	return playCall(newCall({ aUuid: A, bUuid: B, jobUuid: undefined }), reports).call
}

/** Telnyx' codes with what FreeSWITCH makes of the status beside them. */
const REFUSALS: [phrase: string, cause: string, sip: number, code: string, reason: string][] = [
	...['D1', 'D2', 'D3', 'D22', 'D9', 'P05'].map((code): typeof REFUSALS[number] => [code, 'CALL_REJECTED', 403, code, 'trunk_at_limit']),
	...['D7', 'D38', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17'].map((code): typeof REFUSALS[number] => [code, 'CALL_REJECTED', 403, code, 'trunk_disabled']),
	['D18', 'UNALLOCATED_NUMBER', 404, 'D18', 'trunk_disabled'],
	['D19', 'UNALLOCATED_NUMBER', 404, 'D19', 'trunk_blocked'],
	...['D24', 'D41', 'D60', 'D61', 'TM1'].map((code): typeof REFUSALS[number] => [code, 'CALL_REJECTED', 403, code, 'barred']),
	['D59', 'UNALLOCATED_NUMBER', 404, 'D59', 'barred'],
	...['D25', 'D26', 'D27', 'D28', 'D29'].map((code): typeof REFUSALS[number] => [code, 'CALL_REJECTED', 403, code, 'trunk_refused']),
	...['D35', 'D36', 'D51'].map((code): typeof REFUSALS[number] => [code, 'CALL_REJECTED', 403, code, 'caller_id_refused']),
	['D8', 'UNALLOCATED_NUMBER', 404, 'D8', 'caller_id_refused'],
	['D40', 'UNALLOCATED_NUMBER', 404, 'D40', 'no_route'],
	['B3', 'INCOMPATIBLE_DESTINATION', 488, 'B3', 'codec_mismatch'],
	['PE12', 'NORMAL_TEMPORARY_FAILURE', 503, 'PE12', 'no_route'],
	['PE', 'NORMAL_TEMPORARY_FAILURE', 503, 'PE', 'no_route'],
	['TV1', 'NORMAL_TEMPORARY_FAILURE', 503, 'TV1', 'no_route'],
]

describe('a refusal by Telnyx', () => {
	it.each(REFUSALS)('%s (%s, SIP %i) is the company’s own, and says what it means', (code, cause, sip, carrier, reason) => {
		for (const phrase of [code, `Forbidden ${code}`, `${code}: some words`]) {
			const call = refused(cause, sip, phrase)
			expect(call).toMatchObject({ status: 'ended', endedBy: 'system', leg: 'destination', cause: { name: cause, sip, carrier }, reason: { code: reason } })
			expect(call.outcome).not.toBe('rejected')
		}
	})

	it('has a text for each code that is known, and one that is tested', () => {
		expect(new Set(REFUSALS.map(([code]) => code.replace(/^PE\d*$/, 'PE')))).toEqual(new Set(Object.keys(TELNYX_CODES)))
	})

	it.each([
		['Forbidden', 403],
		['Decline', 603],
		['Declined by D. Smith', 603],
		['PERMISSION DENIED', 403],
		['D99', 403],
		['BD51', 403],
		['', 403],
		['constructor', 403],
	])('with the phrase %j and SIP %i is none: the destination declined', (phrase, sip) => {
		const call = refused('CALL_REJECTED', sip, phrase)
		expect(call).toMatchObject({ outcome: 'rejected', endedBy: 'callee', reason: { code: 'declined' } })
		expect(call.cause).not.toHaveProperty('carrier')
	})

	it('is read of no call that was answered, and of no other company’s', () => {
		expect(refused('CALL_REJECTED', 403, 'D51', telnyx, true)).toMatchObject({ outcome: 'completed' })
		expect(refused('CALL_REJECTED', 403, 'D51', generic)).toMatchObject({ outcome: 'rejected', reason: { code: 'declined' } })
	})

	it('never brings the company’s own words along, which may hold a number', () => {
		expect(JSON.stringify(refused('CALL_REJECTED', 403, 'D51 +4930123456 is not verified'))).not.toContain('verified')
	})
})

describe('docs/admin/reasons.md', () => {
	const text = readFileSync(new URL('../../../docs/admin/reasons.md', import.meta.url), 'utf8')
	const section = (name: string) => (text.split(`## ${name}\n`)[1] ?? '').split('\n## ')[0]?.split('\n').filter((line) => line.startsWith('| `'))
	const reasonOf = (verdict: Parameters<typeof reasonFor>[2]) => reasonFor('failed', 'destination', verdict, 'system')?.code

	it('lists every reason with its sentence and who can mend it', () => {
		expect(section('Reasons')).toEqual([...new Set(REASONS.map(({ code, message, fixableBy }) => `| \`${code}\` | ${message} | ${fixableBy} |`))])
	})

	it('lists every hangup cause with its number and its reason', () => {
		expect(section('FreeSWITCH’s hangup causes')).toEqual(CAUSES.map(([name, q850]) => {
			const code = reasonOf(verdictOf(causeOf(name), { progressed: false, answered: false }))
			return `| \`${name}\` | ${q850} | ${code === undefined ? '–' : `\`${code}\``} |`
		}))
	})

	it('lists every code of Telnyx with its reason', () => {
		expect(section('Telnyx’ codes')).toEqual(Object.entries(TELNYX_CODES).map(([code, verdict]) => `| \`${code}\` | \`${reasonOf(verdict)}\` |`))
	})
})
