// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Who ended a call and how it went, above all where the switch's reports have gaps.

import type { CallEvent } from '../../../lib/calls/call-events.ts'
import type { Call, LegEnd, Verdict } from '../../../lib/calls/call.ts'

import { describe, expect, it } from 'vitest'
import { isRungAgain } from '../../../lib/calls/call.ts'
import { newCall, playCall } from '../../support/replay-call.ts'

const A = 'leg-a'
const B = 'leg-b'
const START_MS = Date.parse('2026-11-22T12:00:00.000Z')

function at(sec: number): Date {
	return new Date(START_MS + sec * 1_000)
}

function ends(legUuid: string, verdict: Verdict, values: Partial<LegEnd> = {}): CallEvent {
	return { type: 'leg', legUuid, at: at(20), end: { cause: { name: verdict.toUpperCase(), q850: 31 }, verdict, hungUpBy: 'switch', talkMs: 0, ...values } }
}

const party = { hungUpBy: 'party' as const }
const answered = (legUuid: string, sec: number): CallEvent => ({ type: 'leg', legUuid, at: at(sec), answeredAt: at(sec) })
const created = (legUuid: string): CallEvent => ({ type: 'leg', legUuid, at: at(4) })
const gone = (legUuid: string): CallEvent => ({ type: 'leg_gone', legUuid, at: at(30) })
const hangup = (by: 'user' | 'policy' | 'admin'): CallEvent => ({ type: 'hangup_requested', at: at(15), by })
const talking = [answered(A, 2), answered(B, 10)]

function play(...events: CallEvent[]): Call {
	const { call } = playCall(newCall({ aUuid: A, bUuid: B, jobUuid: undefined }), events)
	expect(call.status).toBe('ended')
	return call
}

function told({ outcome, endedBy, leg, reason, talkMs }: Call): unknown[] {
	return [outcome, endedBy, leg, reason?.code, talkMs]
}

describe('an answered call', () => {
	it.each<[string, CallEvent[], unknown[]]>([
		['ended by the callee', [ends(B, 'cleared', { ...party, talkMs: 10_000 }), ends(A, 'cleared')], ['callee', undefined, 10_000]],
		['ended by the user at the phone', [ends(B, 'cleared', { talkMs: 10_000 }), ends(A, 'cleared', party)], ['user', undefined, 10_000]],
		['ended by the user in Nextcloud', [hangup('user'), ends(B, 'cleared', { talkMs: 10_000 }), ends(A, 'cleared')], ['user', undefined, 10_000]],
		['ended by the callee just before the user’s wish took effect', [hangup('user'), ends(B, 'cleared', { ...party, talkMs: 10_000 }), ends(A, 'cleared')], ['callee', undefined, 10_000]],
		['ended by an administrator of the switch', [ends(B, 'cleared', { talkMs: 10_000 }), ends(A, 'cleared')], ['system', undefined, 10_000]],
		['ended by an administrator in Nextcloud', [hangup('admin'), ends(B, 'cleared', { talkMs: 10_000 }), ends(A, 'cleared')], ['policy', 'ended_by_admin', 10_000]],
		['ended by the callee just before an administrator’s wish took effect', [hangup('admin'), ends(B, 'cleared', { ...party, talkMs: 10_000 }), ends(A, 'cleared')], ['callee', undefined, 10_000]],
		['that was too long when an administrator wanted it to end', [hangup('admin'), ends(B, 'max_duration', { talkMs: 10_000 }), ends(A, 'cleared')], ['policy', 'max_duration', 10_000]],
		['that was too long, told by the A leg', [ends(B, 'cleared', { talkMs: 10_000 }), ends(A, 'max_duration')], ['policy', 'max_duration', 10_000]],
		['that was too long, told by the B leg', [ends(B, 'max_duration', { talkMs: 10_000 }), ends(A, 'cleared')], ['policy', 'max_duration', 10_000]],
		['whose sound was lost', [ends(B, 'media_lost', { talkMs: 10_000 }), ends(A, 'cleared')], ['system', 'connection_lost', 10_000]],
		['on a switch that shut down', [ends(B, 'switch_stopped', { ...party, talkMs: 10_000 }), ends(A, 'switch_stopped')], ['system', 'phone_system_restarted', 10_000]],
		['whose B leg ended unheard', [gone(B), ends(A, 'cleared', party)], ['user', undefined, 10_000]],
		['whose A leg ended unheard', [ends(B, 'cleared', { ...party, talkMs: 9_000 }), gone(A)], ['callee', undefined, 9_000]],
		['of which both legs ended unheard', [gone(A), gone(B)], ['system', 'phone_system_restarted', 20_000]],
	])('%s is completed', (_what, last, [endedBy, reason, talkMs]) => {
		expect(told(play(...talking, ...last))).toEqual(['completed', endedBy, 'destination', reason, talkMs])
	})

	it('whose B leg’s events were all lost is proved by the A leg’s bridge, 7.5 s long', () => {
		const call = play(answered(A, 2), ends(A, 'cleared', { ...party, bridgedMs: 7_500 }))
		expect(told(call)).toEqual(['completed', 'user', 'destination', undefined, 7_500])
		expect(call.answeredAt).toEqual(new Date(at(20).getTime() - 7_500))
	})

	it('whose answer was lost is proved by the 4.2 s of talk of the B leg', () => {
		const call = play(answered(A, 2), created(B), ends(B, 'cleared', { ...party, talkMs: 4_200 }), ends(A, 'cleared'))
		expect(told(call)).toEqual(['completed', 'callee', 'destination', undefined, 4_200])
		expect(call.answeredAt).toEqual(new Date(at(20).getTime() - 4_200))
	})

	it('is not on hold any more when it has ended', () => {
		expect(play(...talking, { type: 'leg', legUuid: A, at: at(12), held: true }, ends(B, 'cleared', { talkMs: 1_000 }), ends(A, 'cleared')).onHold).toBe(false)
	})
})

describe('an unanswered call', () => {
	const dialled = [answered(A, 2), created(B)]

	it.each<[string, CallEvent[], unknown[]]>([
		['was given up by the user at the phone', [...dialled, ends(B, 'cancelled'), ends(A, 'cleared', party)], ['cancelled', 'user', 'destination', undefined]],
		['was given up by the user in Nextcloud', [...dialled, hangup('user'), ends(B, 'cancelled'), ends(A, 'cleared')], ['cancelled', 'user', 'destination', undefined]],
		['was given up while the own phone rang', [created(A), hangup('user'), ends(A, 'cleared')], ['cancelled', 'user', 'user', undefined]],
		['was ended by the policy', [...dialled, hangup('policy'), ends(B, 'cancelled'), ends(A, 'cleared')], ['cancelled', 'policy', 'destination', undefined]],
		['was ended by an administrator', [...dialled, hangup('admin'), ends(B, 'cancelled'), ends(A, 'cleared')], ['cancelled', 'policy', 'destination', 'ended_by_admin']],
		['was ended by an administrator while the own phone rang', [created(A), hangup('admin'), ends(A, 'cleared')], ['cancelled', 'policy', 'user', 'ended_by_admin']],
		['was given up before B was dialled', [answered(A, 2), ends(A, 'cleared', party)], ['cancelled', 'user', 'destination', undefined]],
		['found B busy', [...dialled, ends(B, 'busy', party), ends(A, 'busy')], ['busy', 'callee', 'destination', 'busy']],
		['was declined although the user hung up at the same moment', [...dialled, ends(B, 'rejected', party), ends(A, 'cleared', party)], ['rejected', 'callee', 'destination', 'declined']],
		['was declined after somebody wanted it to end', [...dialled, hangup('user'), ends(B, 'rejected', party), ends(A, 'cleared')], ['rejected', 'callee', 'destination', 'declined']],
		['was not taken by B', [...dialled, ends(B, 'no_answer'), ends(A, 'cleared')], ['no_answer', 'system', 'destination', 'no_answer']],
		['was declined on the own phone', [created(A), ends(A, 'rejected', party)], ['rejected', 'user', 'user', 'own_phone_declined']],
		['was not taken on the own phone', [created(A), ends(A, 'no_answer')], ['no_answer', 'system', 'user', 'own_phone_not_answered']],
		['has only the A leg’s word for B’s fate', [answered(A, 2), ends(A, 'cleared', { onward: { cause: { name: 'NO_ANSWER', q850: 19 }, verdict: 'no_answer' } })], ['no_answer', 'system', 'destination', 'no_answer']],
		['has only the A leg’s word, B’s channel having been seen', [...dialled, gone(B), ends(A, 'cleared', { onward: { cause: { name: 'USER_BUSY', q850: 17 }, verdict: 'busy' } })], ['busy', 'system', 'destination', 'busy']],
		['ended unheard on both legs', [...dialled, gone(B), gone(A)], ['failed', 'system', 'destination', 'phone_system_restarted']],
		['ended unheard after somebody wanted it to end', [...dialled, hangup('user'), gone(B), gone(A)], ['cancelled', 'user', 'destination', undefined]],
		['never came to be', [gone(A)], ['failed', 'system', 'user', 'phone_system_restarted']],
		['was refused by the switch', [{ type: 'originate_failed', at: at(1), cause: { name: 'USER_NOT_REGISTERED', q850: 806 }, verdict: 'not_registered' }], ['failed', 'system', 'user', 'own_phone_not_registered']],
		['was barred by the company', [...dialled, ends(B, 'barred', party), ends(A, 'cleared')], ['blocked', 'system', 'destination', 'barred']],
	])('%s', (_what, events, expected) => {
		expect(told(play(...events))).toEqual([...expected, undefined])
	})
})

describe('somebody who has said no to the first gateway’s call', () => {
	const C = 'leg-c'

	/** The call as it stands when the first of its two gateways’ legs has ended. */
	function refused(sip: number, { rang = false, verdict = 'rejected' as Verdict, then = [] as CallEvent[] } = {}): Call {
		const call = newCall({ aUuid: A, bUuid: B, jobUuid: undefined })
		const both = { ...call, legs: [...call.legs, { uuid: C, role: 'destination' as const, gateway: 'backup' }] }
		return playCall(both, [answered(A, 2), { type: 'leg', legUuid: B, at: at(4), ...(rang ? { ringingAt: at(5) } : {}) }, ends(B, verdict, { ...party, cause: { name: 'CALL_REJECTED', q850: 21, sip } }), ...then]).call
	}

	it.each<[string, Call, boolean]>([
		['by 603', refused(603), true],
		['by 403 after ringing', refused(403, { rang: true }), true],
		['is not known by a 403 at once: that is the gateway’s own', refused(403), false],
		['is not known by the company’s own refusal', refused(403, { rang: true, verdict: 'caller_id_refused' }), false],
		['is not to be spared any more when the second leg is over as well', refused(603, { then: [ends(C, 'congestion')] }), false],
		['was reached all the same', refused(603, { then: [answered(C, 8)] }), false],
	])('%s', (_what, call, isSpared) => {
		expect(isRungAgain(call)).toBe(isSpared)
	})

	it('has declined, whatever became of the second gateway’s leg', () => {
		const call = refused(603, { then: [created(C), ends(C, 'cancelled'), ends(A, 'cleared')] })
		expect(told(call)).toEqual(['rejected', 'callee', 'destination', 'declined', undefined])
	})
})
