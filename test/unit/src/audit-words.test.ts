// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditEntry } from '../../../src/services/admin-api.ts'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AUDIT_ACTIONS } from '../../../lib/privacy/audit.ts'
import { filterOf } from '../../../src/services/audit-filter.ts'
import { actionWords, chainWords, detailWords, personMeant, personWords, sinceWords, AUDIT_ACTIONS as WORDED } from '../../../src/services/audit-words.ts'
import { speak } from '../../support/language.ts'

beforeEach(() => speak('en'))
afterEach(() => speak('en'))

function entry(action: string, detail: Record<string, unknown> = {}): AuditEntry {
	return { seq: 1, at: '2026-11-22T09:30:00.000Z', actor: { kind: 'admin', id: 'demo', ref: 'a'.repeat(32) }, action: action as AuditEntry['action'], detail }
}

describe('an entry of the audit log', () => {
	it('has words for every action, and offers each in the filter', () => {
		expect([...WORDED].sort()).toEqual([...AUDIT_ACTIONS].sort())
		expect(AUDIT_ACTIONS.filter((action) => actionWords(action) === action)).toEqual([])
	})

	it('shows what it does not know as it stands there', () => {
		expect(actionWords('something.new')).toBe('something.new')
		expect(detailWords(entry('something.new', { count: 3, name: 'x', list: [1] }))).toEqual(['count: 3', 'name: x', 'list: [1]'])
	})

	it('names a person by the id while it is known, else by the first four digits of the reference', () => {
		expect(personWords({ id: 'ann', ref: '4f2a99' })).toBe('ann')
		expect(personWords({ ref: '4f2a99' })).toBe('user 4f2a')
	})

	it('takes a person as the table shows her, in the language of the page, and any id as it is', async () => {
		expect([' user 4f2a ', '4f2a', '4f2a99', 'user 4f', 'user ann', 'Ann Example', 'user CAFE', 'CAFE'].map(personMeant)).toEqual(['4f2a', '4f2a', '4f2a99', 'user 4f', 'user ann', 'Ann Example', 'user CAFE', 'CAFE'])
		await speak('de')
		const { registerLanguage } = await import('../../../src/services/l10n.ts')
		const { de } = await import('../../../src/l10n/manage-de.ts')
		registerLanguage({ de })
		expect(['Konto 4f2a', 'user 4f2a'].map(personMeant)).toEqual(['4f2a', 'user 4f2a'])
	})

	it.each<[string, AuditEntry, string[]]>([
		['a number that was changed', entry('settings.changed', { changes: [{ key: 'callsPerDay', old: 200, new: 50 }] }), ['Calls per day: 200 → 50']],
		['countries that went and came', entry('settings.changed', { changes: [{ key: 'allowedCountries', old: ['DE', 'FR'], new: ['DE', 'AT'] }] }), ['Allowed countries: − France (FR), + Austria (AT)']],
		['a setting whose value is not told', entry('settings.changed', { changes: [{ key: 'freeswitch' }, { key: 'rates' }] }), ['FreeSWITCH', 'Prices']],
		['a setting that the page has no name for', entry('settings.changed', { changes: [{ key: 'newSetting', old: null, new: { a: 1 } }] }), ['newSetting: None → {"a":1}']],
		['the part of a setting that changed', entry('settings.changed', { changes: [{ key: 'retention', old: { callsDays: 90, maskAfterDays: 30, auditDays: 730 }, new: { callsDays: 90, maskAfterDays: 31, auditDays: 730 } }] }), ['Days with the full number: 30 → 31']],
		['a value that is a word', entry('settings.changed', { changes: [{ key: 'statistics', old: 'pseudonymous', new: 'named' }, { key: 'deviceVerification', old: { phone: 'code', sip: 'none' }, new: { phone: 'none', sip: 'none' } }] }), ['Users in the statistics: without names → with names', 'Phone numbers as phones: Ring once they are verified → Ring at once']],
		['a value that was in force before it was saved', entry('settings.taken_over', { changes: [{ key: 'callsPerMinute', old: 10, new: 10 }, { key: 'homeCountry', old: null, new: 'DE' }] }), ['Calls per minute: 10', 'Home country: None → Germany (DE)']],
		['a test', entry('settings.tested', { part: 'freeswitch', host: '127.0.0.1', port: 8021 }), ['FreeSWITCH: 127.0.0.1:8021']],
		['an erasure', entry('data.erased', { receipt: '7f8a3f3e', scope: 'number', calls: 2, transfers: 1, devices: 0, signIns: 0, rules: 0 }), ['A number', '2 calls, 1 transfer', 'Receipt: 7f8a3f3e']],
		['the end of a call', entry('call.ended', { call: '7f8a3f3e' }), ['Call: 7f8a3f3e']],
		['a change that failed', entry('settings.changed', { changes: [{ key: 'maxCallSec', old: 1, new: 7 }], failed: 'nextcloud_unavailable' }), ['Longest call, in seconds: 1 → 7', 'It failed: nextcloud_unavailable']],
		['a permission, a lock that went, own limits and phones', entry('user.changed', { mayCall: { old: null, new: false }, lock: { old: { until: 'x', by: 'refusals' }, new: null }, limits: { old: { callsPerDay: 5 }, new: { callsPerDay: 9 } }, phones: [{ id: '1', verified: true }, { id: '2', verified: true }] }), ['Forbidden for this user', 'Unlocked', 'Calls per day: 5 → 9', '2 phones verified']],
		['a limit that was taken away', entry('user.changed', { limits: { old: { callsPerDay: 5 }, new: {} } }), ['Calls per day: 5 → None']],
		['a refused call', entry('call.refused', { code: 'destination_not_allowed', rule: 'allowedCountries', country: 'AT' }), ['Austria (AT)', 'Rule: Allowed countries.']],
		['an export of what was narrowed', entry('audit.exported', { action: 'user.locked' }), ['User locked after refused calls']],
		['an export of what was done by one person to nobody who is known', entry('audit.exported', { actor: ['4f2a99', '4f2a'], target: [] }), ['By whom: user 4f2a, user 4f2a', 'To whom: nobody']],
		['entries that were dropped', entry('audit.dropped', { from: 1, to: 12_000, entries: 12_000, auditDays: 730 }), ['Entries 1 to 12,000', 'Kept for 730 days']],
		['lost entries', entry('audit.lost', { entries: 3 }), ['3 entries']],
	])('tells of %s', (_what, told, lines) => {
		expect(detailWords(told)).toEqual(lines)
	})
})

describe('the state of the chain', () => {
	it('is told up to which entry it is verified, with the seal to note down', () => {
		expect(chainWords({ state: 'done', entries: 10_482, seal: '0123456789abcdef', checkedAt: '2026-11-22T09:30:00.000Z' })).toMatchObject({ type: 'success', heading: 'Verified up to entry 10,482', text: expect.stringContaining('Seal: 0123456789abcdef.') })
	})

	it.each([
		'It is missing.',
		'It was sealed with the key 0a1b2c3d, which is not loaded: see DATABASE_ENCRYPTION_KEYS_PREVIOUS.',
		'It, or an entry before it, was changed, moved or put in.',
		'The mark of the log’s end is missing: nobody knows whether entries are missing here.',
		'It is missing, with all that followed: the log went on to entry 9.',
		'It was put in behind the end of the log.',
		'The mark of the log’s end was changed: entries may be missing here.',
		'The mark of the log’s beginning was changed: entries may be missing in front of it.',
		'It was put in in front of the beginning of the log.',
		'The checkpoint at it was changed or put in.',
		'Another entry was noted under its number outside of the database: the log was put back to an earlier state, and went on from there.',
		'What was noted outside of the database was changed or cannot be read: entries may be missing here.',
		'It is missing, with all that followed: outside of the database it is noted that the log went on to entry 9.',
	])('is told in the user’s language when it is broken: %s', async (why) => {
		await speak('de')
		const { registerLanguage } = await import('../../../src/services/l10n.ts')
		const { de } = await import('../../../src/l10n/manage-de.ts')
		registerLanguage({ de })
		const { heading, text, type } = chainWords({ state: 'done', entries: 2, broken: { seq: 3, why }, checkedAt: '2026-11-22T09:30:00.000Z' })
		expect([type, heading]).toEqual(['error', 'Gebrochen bei Eintrag 3'])
		expect(text).not.toContain(why)
		expect(text).toMatch(/^(?:Er|Die Marke|Der Prüfpunkt|Außerhalb der Datenbank|Der Vermerk) /)
	})

	it('says from when on the log goes back, and why', () => {
		const since = '2026-11-22T09:30:00.000Z'
		expect(sinceWords({ since: null })).toBe('')
		expect(sinceWords({ since })).toMatch(/^The log goes back to .*2026.*\. Nothing was dropped from it yet\.$/)
		expect(sinceWords({ since, dropped: { upTo: 12_000, at: since, auditDays: 730 } })).toMatch(/^The log goes back to .*\. Entries are kept for 730 days; older ones, up to entry 12,000, were dropped, the last of them: .*2026.*\.$/)
	})

	it('says nothing about entries that could not be read', () => {
		expect(chainWords({ state: 'failed', entries: 2 })).toMatchObject({ type: 'warning' })
		expect(chainWords({ state: 'none' })).toMatchObject({ type: 'info', heading: 'Not checked since SIPCall was started' })
		expect(chainWords({ state: 'running', entries: 2000 })).toMatchObject({ text: 'Entries in order so far: 2,000' })
	})
})

describe('the filter', () => {
	const EMPTY = { action: '', actor: '', target: '', from: '', to: '' }

	it('has the whole of the last day, and nothing of what is empty or half typed', () => {
		const start = (day: string) => new Date(`${day}T00:00:00`).toISOString()
		expect(filterOf(EMPTY)).toEqual({})
		expect(filterOf({ ...EMPTY, actor: ' ', target: ' ann ' })).toEqual({ target: 'ann' })
		expect(filterOf({ ...EMPTY, action: 'user.locked', from: '2026-11-30', to: '2026-11-30' })).toEqual({ action: 'user.locked', from: start('2026-11-30'), to: start('2026-12-01') })
		expect(filterOf({ ...EMPTY, from: '0002-11-30', to: '26' })).toEqual({})
	})
})
