// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from '../../../src/services/types.ts'

import { describe, expect, it } from 'vitest'
import { callWords, hangingUpWords, outcomeLabel, startingWords, talkWords, timerStart, timerWords, titleWord } from '../../../src/services/call-words.ts'
import { speak } from '../../support/language.ts'

function makeCall(overrides: Partial<Call> = {}): Call {
	return {
		uuid: '4a1f4f6e-3c1e-4f0e-9a0c-5f0a2c6f7b11',
		version: 1,
		to: '+4930123456',
		toDisplay: '+49 30 123456',
		device: { id: 'd1', label: 'Desk phone' },
		direction: 'outbound',
		status: 'queued',
		createdAt: '2026-11-22T09:30:00.000Z',
		onHold: false,
		tags: [],
		...overrides,
	}
}

const LIMIT = { code: 'max_duration', message: 'The longest allowed call length was reached.', fixableBy: 'admin' } as const
const BY_ADMIN = { code: 'ended_by_admin', message: 'An administrator ended this call.', fixableBy: 'admin' } as const
const PICKED_UP = { userAnsweredAt: '2026-11-22T09:30:06.000Z' }

function lines(call: Call): [string, string] {
	const { headline, detail } = callWords(call)
	return [headline, detail]
}

describe('a live call', () => {
	it.each<[Partial<Call>, [string, string]]>([
		[{ status: 'queued' }, ['Starting the call …', 'Your phone “Desk phone” will ring first.']],
		[{ status: 'calling_user' }, ['Pick up your phone', '“Desk phone” is ringing. +49 30 123456 is called when you answer.']],
		[{ status: 'dialing' }, ['Dialling +49 30 123456 …', 'You are connected. Stay on the line.']],
		[{ status: 'ringing', callerId: '+49309876' }, ['Ringing at +49 30 123456 …', 'Calling from +49309876']],
		[{ status: 'ringing' }, ['Ringing at +49 30 123456 …', 'You are connected. Stay on the line.']],
		[{ status: 'connected', contactName: 'Anna Weber' }, ['Talking to Anna Weber', '+49 30 123456 · Desk phone']],
		[{ status: 'connected', contactName: 'Anna Weber', onHold: true }, ['Anna Weber is on hold', 'Anna Weber cannot hear you.']],
	])('%j reads %j', (overrides, expected) => {
		expect(lines(makeCall(overrides))).toEqual(expected)
	})

	it('leaves a name with markup as it was typed, since the template escapes it', () => {
		expect(callWords(makeCall({ status: 'connected', contactName: 'Weber & <b>Sohn</b>' })).headline).toBe('Talking to Weber & <b>Sohn</b>')
	})

	it('says that the phone rings first while no device is known', () => {
		expect(startingWords(undefined).detail).toBe('Your phone will ring first.')
	})

	it('says more about hanging up only when it takes long', () => {
		expect(hangingUpWords(false).detail).toBe('')
		expect(hangingUpWords(true).detail).toContain('You can also hang up on your phone.')
	})

	it('counts from the time stamp of its state', () => {
		const times = { createdAt: '1', userAnsweredAt: '2', ringingAt: '3', answeredAt: '4' }
		expect((['queued', 'calling_user', 'dialing', 'ringing', 'connected', 'ended'] as const)
			.map((status) => timerStart(makeCall({ ...times, status })))).toEqual([undefined, '1', '2', '3', '4', undefined])
	})

	it('puts neither name nor number into the title', () => {
		expect(titleWord(makeCall({ status: 'connected', contactName: 'Anna Weber' }))).toBe('Talking')
		expect(titleWord(makeCall({ status: 'ringing' }))).toBe('Calling')
	})
})

describe('a call that has ended', () => {
	const endedAt = '2026-11-22T09:30:30.000Z'

	it.each<[Partial<Call>, [string, string]]>([
		[{ outcome: 'completed', talkSec: 252, endedBy: 'user' }, ['Call ended · 4 min 12 s', 'You hung up.']],
		[{ outcome: 'completed', talkSec: 252, endedBy: 'callee', contactName: 'Anna' }, ['Call ended · 4 min 12 s', 'Anna hung up.']],
		[{ outcome: 'completed', talkSec: 3600, endedBy: 'policy', reason: LIMIT }, ['Call ended · 1 h 0 min', 'The longest allowed call is 60 minutes.']],
		[{ outcome: 'completed', talkSec: 61, endedBy: 'policy', reason: LIMIT }, ['Call ended · 1 min 1 s', 'The longest allowed call is 1 minute.']],
		[{ outcome: 'completed', talkSec: 90, endedBy: 'policy', reason: LIMIT }, ['Call ended · 1 min 30 s', 'The longest allowed call length was reached.']],
		[{ outcome: 'completed', talkSec: 60, endedBy: 'policy', reason: BY_ADMIN }, ['Call ended · 1 min 0 s', 'An administrator ended this call.']],
		[{ outcome: 'cancelled', endedBy: 'policy', reason: BY_ADMIN }, ['Call cancelled', 'An administrator ended this call.']],
		[{ outcome: 'cancelled', endedBy: 'policy', ...PICKED_UP, reason: BY_ADMIN }, ['Call cancelled', 'An administrator ended this call.']],
		[{ outcome: 'no_answer', endedAt }, ['You did not pick up', '“Desk phone” rang for 30 seconds. +49 30 123456 was not called.']],
		[{ outcome: 'no_answer', endedAt, ...PICKED_UP, leg: 'destination', ringingAt: '2026-11-22T09:30:10.000Z' }, ['No answer', '+49 30 123456 did not pick up within 20 seconds.']],
		[{ outcome: 'no_answer', endedAt, ...PICKED_UP, ringingAt: '2026-11-22T09:30:29.000Z' }, ['No answer', '+49 30 123456 did not pick up within 1 second.']],
		[{ outcome: 'busy', leg: 'destination', ...PICKED_UP }, ['+49 30 123456 is busy', 'Try again later.']],
		[{ outcome: 'busy', leg: 'user' }, ['Your phone is busy', '+49 30 123456 was not called.']],
		[{ outcome: 'rejected', leg: 'destination', ...PICKED_UP }, ['Call declined', '+49 30 123456 declined the call.']],
		[{ outcome: 'rejected', leg: 'user' }, ['Declined on your phone', '+49 30 123456 was not called.']],
		[{ outcome: 'cancelled' }, ['Call cancelled', '+49 30 123456 was not called.']],
		[{ outcome: 'cancelled', ...PICKED_UP }, ['Call cancelled', 'You hung up before +49 30 123456 answered.']],
		[{ outcome: 'failed' }, ['The call failed', 'The phone system gave no reason.']],
		[{ outcome: 'blocked' }, ['The call was not allowed', '+49 30 123456 was not called.']],
	])('%j reads %j', (overrides, expected) => {
		expect(lines(makeCall({ status: 'ended', ...overrides }))).toEqual(expected)
	})

	it('takes the user\'s leg for the reason when the server names none and the user never picked up', () => {
		expect(callWords(makeCall({ status: 'ended', outcome: 'busy' })).headline).toBe('Your phone is busy')
		expect(callWords(makeCall({ status: 'ended', outcome: 'busy', ...PICKED_UP })).headline).toBe('+49 30 123456 is busy')
	})

	it('says the reason of the server where it has no words of its own, and never twice', () => {
		const reason = { code: 'x', message: 'The number is not in service.', fixableBy: 'carrier' } as const
		const failed = callWords(makeCall({ status: 'ended', outcome: 'failed', reason }))
		expect(failed).toEqual({ headline: 'The call failed', detail: reason.message, fix: 'Only the phone company can fix this. Try again later.' })
		const busy = callWords(makeCall({ status: 'ended', outcome: 'busy', leg: 'destination', reason: { ...reason, fixableBy: 'nobody' } }))
		expect(busy).toEqual({ headline: '+49 30 123456 is busy', detail: 'Try again later.' })
	})

	it('tells who can mend it, if that is somebody else', () => {
		const fix = (fixableBy: 'user' | 'admin' | 'carrier' | 'nobody') => callWords(makeCall({ status: 'ended', outcome: 'failed', reason: { code: 'x', message: 'y', fixableBy } })).fix
		expect(fix('admin')).toBe('Your administrator can fix this.')
		expect(fix('user')).toBeUndefined()
		expect(fix('nobody')).toBeUndefined()
	})

	it('is a missed one in the list when it came in', () => {
		expect(outcomeLabel(makeCall({ status: 'ended', outcome: 'no_answer', direction: 'inbound' }))).toBe('Missed')
		expect(outcomeLabel(makeCall({ status: 'ended', outcome: 'no_answer', ...PICKED_UP }))).toBe('No answer')
	})
})

describe('durations', () => {
	it.each([[0, '00:00'], [59.9, '00:59'], [134, '02:14'], [3734, '1:02:14'], [-3, '00:00']])('%d s on the timer is %s', (seconds, words) => {
		expect(timerWords(seconds)).toBe(words)
	})

	it.each([[0, '0 s'], [42, '42 s'], [252, '4 min 12 s'], [3660, '1 h 1 min']])('%d s of talk is %s', (seconds, words) => {
		expect(talkWords(seconds)).toBe(words)
	})
})

describe.each([
	['de', [
		['Anruf beendet · 4 Min. 12 Sek.', 'Selbst aufgelegt.'],
		['Anruf beendet · 4 Min. 12 Sek.', 'Anna hat aufgelegt.'],
		['Anruf beendet · 1 Std. 0 Min.', 'Das längste erlaubte Gespräch dauert 60 Minuten.'],
		['Anruf beendet · 1 Min. 30 Sek.', 'Die längste erlaubte Gesprächsdauer wurde erreicht.'],
		['Anruf beendet · 4 Min. 12 Sek.', 'Die Administration hat diesen Anruf beendet.'],
		['Anruf abgebrochen', 'Die Administration hat diesen Anruf beendet.'],
		['Nicht abgenommen', '„Desk phone“ hat 30 Sekunden lang geklingelt. Anna wurde nicht angerufen.'],
		['Keine Antwort', 'Anna hat innerhalb von 20 Sekunden nicht abgenommen.'],
		['Anna ist besetzt', 'Bitte später erneut versuchen.'],
		['Das eigene Telefon ist besetzt', 'Anna wurde nicht angerufen.'],
		['Anruf abgelehnt', 'Anna hat den Anruf abgelehnt.'],
		['Am eigenen Telefon abgelehnt', 'Anna wurde nicht angerufen.'],
		['Anruf abgebrochen', 'Anna wurde nicht angerufen.'],
		['Anruf abgebrochen', 'Aufgelegt, bevor Anna abgenommen hat.'],
		['Der Anruf ist fehlgeschlagen', 'Diese Nummer ist nicht vergeben. Bitte prüfen und erneut versuchen.'],
		['Der Anruf war nicht erlaubt', 'Anna wurde nicht angerufen.'],
	]],
	['fr', [
		['Appel terminé · 4 min 12 s', 'Vous avez raccroché.'],
		['Appel terminé · 4 min 12 s', 'Anna a raccroché.'],
		['Appel terminé · 1 h 0 min', 'L’appel le plus long autorisé est de 60 minutes.'],
		['Appel terminé · 1 min 30 s', 'La durée maximale autorisée a été atteinte.'],
		['Appel terminé · 4 min 12 s', 'Un administrateur a mis fin à cet appel.'],
		['Appel annulé', 'Un administrateur a mis fin à cet appel.'],
		['Vous n’avez pas décroché', '« Desk phone » a sonné pendant 30 secondes. Anna n’a pas été appelé.'],
		['Pas de réponse', 'Anna n’a pas décroché en 20 secondes.'],
		['Anna est occupé', 'Réessayez plus tard.'],
		['Votre téléphone est occupé', 'Anna n’a pas été appelé.'],
		['Appel refusé', 'Anna a refusé l’appel.'],
		['Refusé sur votre téléphone', 'Anna n’a pas été appelé.'],
		['Appel annulé', 'Anna n’a pas été appelé.'],
		['Appel annulé', 'Vous avez raccroché avant que Anna réponde.'],
		['L’appel a échoué', 'Ce numéro n’est pas attribué. Vérifiez-le et réessayez.'],
		['L’appel n’était pas autorisé', 'Anna n’a pas été appelé.'],
	]],
])('in %s', (language, expected) => {
	const endedAt = '2026-11-22T09:30:30.000Z'
	const reason = { code: 'number_not_in_service', message: 'This number is not in service.', fixableBy: 'user' } as const
	const ends: Partial<Call>[] = [
		{ outcome: 'completed', talkSec: 252, endedBy: 'user' },
		{ outcome: 'completed', talkSec: 252, endedBy: 'callee' },
		{ outcome: 'completed', talkSec: 3600, endedBy: 'policy', reason: LIMIT },
		{ outcome: 'completed', talkSec: 90, endedBy: 'policy', reason: LIMIT },
		{ outcome: 'completed', talkSec: 252, endedBy: 'policy', reason: BY_ADMIN },
		{ outcome: 'cancelled', endedBy: 'policy', reason: BY_ADMIN },
		{ outcome: 'no_answer', endedAt },
		{ outcome: 'no_answer', endedAt, ...PICKED_UP, ringingAt: '2026-11-22T09:30:10.000Z' },
		{ outcome: 'busy', leg: 'destination', ...PICKED_UP },
		{ outcome: 'busy', leg: 'user' },
		{ outcome: 'rejected', leg: 'destination', ...PICKED_UP },
		{ outcome: 'rejected', leg: 'user' },
		{ outcome: 'cancelled' },
		{ outcome: 'cancelled', ...PICKED_UP },
		{ outcome: 'failed', reason },
		{ outcome: 'blocked' },
	]

	it('says every outcome of every leg', () => {
		speak(language)
		expect(ends.map((end) => lines(makeCall({ status: 'ended', contactName: 'Anna', ...end })))).toEqual(expected)
		speak('en')
	})
})
