// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Entries of the audit log in words. What a newer server writes is shown as it stands there. */

import type { AuditEntry, AuditPage, AuditVerification } from './admin-api.ts'
import type { ErasureCounts, ListedReceipt } from './privacy-api.ts'

import { numberFormat } from './formats.ts'
import { n, t } from './l10n.ts'
import { countryWithCode, difference, ruleName } from './policy-words.ts'
import { countWords, scopeWords } from './privacy-words.ts'
import { ruleWords } from './refusal-words.ts'
import { dayAndTime } from './time-words.ts'

/** In the order in which a filter offers them. */
const ACTIONS: Readonly<Record<string, () => string>> = {
	'settings.changed': () => t('Settings changed'),
	'settings.tested': () => t('Connection tested'),
	'settings.taken_over': () => t('Settings taken over from Nextcloud’s form'),
	'user.changed': () => t('User changed'),
	'user.locked': () => t('User locked after refused calls'),
	'user.purged': () => t('All data of a user deleted'),
	'data.erased': () => t('Data erased on demand'),
	'data.erased_again': () => t('Erased again after a restore'),
	'user.exported': () => t('Data of a user exported'),
	'phone.verified': () => t('Phone verified by a code'),
	'call.refused': () => t('Call refused'),
	'call.emergency_refused': () => t('Emergency call refused'),
	'call.tested': () => t('Test call made'),
	'call.ended': () => t('Call ended by an administrator'),
	'backup.made': () => t('Backup made'),
	'backup.restored': () => t('Backup restored'),
	'records.imported': () => t('Call records imported'),
	'key.changed': () => t('Encryption key changed'),
	'key.retired': () => t('Earlier encryption key no longer needed'),
	'client.signed_in': () => t('Client signed in'),
	'client.signed_out': () => t('Client signed out'),
	'client.token_reused': () => t('Token shown twice, sign-in ended'),
	'audit.dropped': () => t('Old entries dropped'),
	'audit.exported': () => t('Audit log downloaded'),
	'audit.lost': () => t('Entries lost'),
}

/** Settings that are not part of the policy. */
const SETTINGS: Readonly<Record<string, () => string>> = {
	sipDialString: () => t('How an extension is rung'),
	sipDomain: () => t('Domain'),
	gateways: () => t('Gateway'),
	callerIds: () => t('Caller IDs'),
	deviceVerification: () => t('Proof of phones'),
	ringTimeoutSec: () => t('Seconds that the user’s phone rings'),
	answerTimeoutSec: () => t('Seconds that the destination rings'),
	freeswitch: () => t('FreeSWITCH'),
	oauth: () => t('Sign-in from outside'),
	retention: () => t('How long things are kept'),
	statistics: () => t('Users in the statistics'),
}

/** Settings that are several in one. */
const PARTS: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
	retention: {
		maskAfterDays: () => t('Days with the full number'),
		callsDays: () => t('Days until the call is deleted'),
		auditDays: () => t('Days that entries are kept'),
	},
	deviceVerification: {
		phone: () => t('Phone numbers as phones'),
		sip: () => t('Extensions as phones'),
	},
}

/** Values that are words, by their setting. */
const VALUES: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
	statistics: { pseudonymous: () => t('without names'), named: () => t('with names') },
	phone: { code: () => t('Ring once they are verified'), none: () => t('Ring at once') },
	sip: { admin: () => t('Ring once an administrator has verified them'), none: () => t('Ring at once') },
}

/** Why the check stopped, by the sentences of `lib/privacy/audit.ts`. */
const FAULTS: readonly [RegExp, (found: Record<string, string>) => string][] = [
	[/^It is missing, with all that followed: the log went on to entry (?<last>\d+)/, ({ last = '' }) => t('It is missing, with all that followed up to entry {last}.', { last: numberWords(Number(last)) })],
	[/^It is missing, with all that followed: outside of the database it is noted that the log went on to entry (?<last>\d+)/, ({ last = '' }) => t('It is missing, with all that followed up to entry {last}, which is noted outside of the database.', { last: numberWords(Number(last)) })],
	[/^It is missing/, () => t('It is missing.')],
	[/^It was sealed with the key (?<key>\w+)/, ({ key = '' }) => t('It was sealed with the key {key}, which is not loaded: see DATABASE_ENCRYPTION_KEYS_PREVIOUS.', { key })],
	[/was changed, moved or put in/, () => t('It, or an entry before it, was changed, moved or put in.')],
	[/^It was put in in front/, () => t('It was put in in front of the beginning of the log.')],
	[/^It was put in behind/, () => t('It was put in behind the end of the log.')],
	[/^The mark of the log’s beginning/, () => t('The mark of the log’s beginning was changed: entries may be missing in front of it.')],
	[/^The checkpoint/, () => t('The checkpoint at it was changed or put in.')],
	[/^Another entry was noted/, () => t('Another entry was noted under its number outside of the database: the log was put back to an earlier state.')],
	[/^What was noted outside/, () => t('What was noted outside of the database was changed or cannot be read: entries may be missing here.')],
	[/^The mark of the log’s end/, () => t('The mark of the log’s end is missing or was changed: entries may be missing here.')],
]

export const AUDIT_ACTIONS: readonly string[] = Object.keys(ACTIONS)

export function actionWords(action: string): string {
	return ACTIONS[action]?.() ?? action
}

/** The name while somebody may know it, else what tells one person from another. */
export function personWords(person: { id?: string | undefined, ref?: string | undefined }): string {
	return person.id ?? t('user {ref}', { ref: (person.ref ?? '').slice(0, 4) })
}

/** The other way round: whom the server is asked for when this is typed, `user 4f2a` as the table shows it included. */
export function personMeant(text: string): string {
	const [before = '', after = ''] = t('user {ref}', { ref: '\n' }).split('\n')
	const typed = text.trim()
	const ref = typed.startsWith(before) && typed.endsWith(after) ? typed.slice(before.length, typed.length - after.length) : typed
	return /^[0-9a-f]{4,32}$/.test(ref) ? ref : typed
}

export function actorWords({ actor }: AuditEntry): string {
	switch (actor.kind) {
		case 'system':
			return 'SIPCall'
		case 'console':
			return t('Console (occ)')
		case 'nextcloud':
			return t('Nextcloud’s form')
		default:
			return personWords(actor)
	}
}

/** What an entry tells beside its action, one thing a line. */
export function detailWords({ action, detail }: AuditEntry): string[] {
	const { failed, ...rest } = detail
	return [...linesOf(action, rest), ...(failed === undefined ? [] : [t('It failed: {code}', { code: String(failed) })])]
}

function linesOf(action: string, detail: Readonly<Record<string, unknown>>): string[] {
	switch (action) {
		case 'settings.changed':
		case 'settings.taken_over':
			return (detail.changes as { key: string, old?: unknown, new?: unknown }[]).flatMap(settingWords)
		case 'user.changed':
			return Object.entries(detail).flatMap(([key, value]) => userWords(key, value))
		case 'user.locked':
			return [t('Locked until {time}', { time: moment(detail.until) })]
		case 'call.refused':
		case 'call.emergency_refused':
			return [...(typeof detail.country === 'string' ? [countryWithCode(detail.country)] : []), ...(typeof detail.rule === 'string' ? [ruleWords({ code: '', message: '', fixableBy: 'admin', rule: { id: detail.rule, label: detail.rule } }) ?? ''] : [])]
		case 'audit.exported':
			return [
				...(typeof detail.action === 'string' ? [actionWords(detail.action)] : []),
				...peopleWords(t('By whom'), detail.actor),
				...peopleWords(t('To whom'), detail.target),
				...(detail.from === undefined && detail.to === undefined ? [] : [range(detail.from, detail.to)]),
			]
		case 'settings.tested':
			return detail.part === 'provider'
				? [`${t('Phone company')}: ${String(detail.kind)}`]
				: [`${detail.part === 'trunk' ? t('Trunk') : 'FreeSWITCH'}: ${String(detail.host)}:${String(detail.port)}`]
		case 'data.erased':
		case 'data.erased_again':
		case 'user.purged': {
			const { receipt, scope, ...counts } = detail as unknown as { receipt: string, scope: ListedReceipt['scope'] } & ErasureCounts
			return [scopeWords(scope), countWords(counts).join(', '), `${t('Receipt')}: ${receipt}`]
		}
		case 'call.ended':
			return [`${t('Call')}: ${String(detail.call)}`]
		case 'audit.dropped':
			return [
				t('Entries {from} to {to}', { from: numberWords(Number(detail.from)), to: numberWords(Number(detail.to)) }),
				n('Kept for %n day', 'Kept for %n days', Number(detail.auditDays)),
			]
		case 'audit.lost':
			return [n('%n entry', '%n entries', Number(detail.entries))]
		default:
			return Object.entries(detail).map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
	}
}

function settingWords(change: { key: string, old?: unknown, new?: unknown }): string[] {
	const { key, old, new: fresh } = change
	const name = ruleName(key) ?? SETTINGS[key]?.() ?? key
	if (!('new' in change || 'old' in change)) {
		return [name]
	}
	const parts = PARTS[key]
	return parts === undefined || typeof fresh !== 'object' || fresh === null
		? [changeWords(name, key, old, fresh)]
		: Object.entries(fresh).filter(([part, value]) => value !== (old as Record<string, unknown> | null | undefined)?.[part])
				.map(([part, value]) => changeWords(parts[part]?.() ?? part, part, (old as Record<string, unknown> | null | undefined)?.[part], value))
}

function userWords(key: string, value: unknown): string[] {
	if (key === 'phones') {
		const phones = value as { verified: boolean }[]
		return [n('%n phone verified', '%n phones verified', phones.filter(({ verified }) => verified).length), n('%n phone no longer verified', '%n phones no longer verified', phones.filter(({ verified }) => !verified).length)]
			.filter((_, index) => phones.some(({ verified }) => verified === (index === 0)))
	}
	const { old, new: fresh } = value as { old?: unknown, new?: unknown }
	switch (key) {
		case 'mayCall':
			return [fresh === true ? t('Allowed for this user') : fresh === false ? t('Forbidden for this user') : t('As the groups say')]
		case 'lock':
			return [fresh === null ? t('Unlocked') : t('Locked until {time}', { time: moment((fresh as { until?: unknown }).until) })]
		case 'approvedCountries':
			return [changeWords(t('Approved countries'), 'allowedCountries', old, fresh)]
		case 'limits': {
			const [before, now] = [old as Record<string, unknown>, fresh as Record<string, unknown>]
			return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((limit) => before[limit] !== now[limit]).map((limit) => changeWords(ruleName(limit) ?? limit, limit, before[limit], now[limit]))
		}
		default:
			return [`${key}: ${JSON.stringify(fresh)}`]
	}
}

/** `Calls per day: 200 → 50`; of lists what went and what came. */
function changeWords(name: string, key: string, old: unknown, fresh: unknown): string {
	const words = (value: unknown) => VALUES[key]?.[String(value)]?.() ?? value
	const { removed, added } = difference(key, words(old), words(fresh))
	if (Array.isArray(old) && Array.isArray(fresh)) {
		return `${name}: ${[...removed.map((item) => `− ${item}`), ...added.map((item) => `+ ${item}`)].join(', ')}`
	}
	// It was in force before, and has been saved here now.
	return removed.length + added.length === 0 ? `${name}: ${difference(key, [], words(fresh)).added.join(', ')}` : `${name}: ${removed.join(', ')} → ${added.join(', ')}`
}

function peopleWords(name: string, references: unknown): string[] {
	return Array.isArray(references) ? [`${name}: ${references.length === 0 ? t('nobody') : references.map((ref) => personWords({ ref: String(ref) })).join(', ')}`] : []
}

function range(from: unknown, to: unknown): string {
	return `${from === undefined ? '' : moment(from)} – ${to === undefined ? '' : moment(to)}`
}

function moment(value: unknown): string {
	const date = new Date(String(value))
	return Number.isNaN(date.getTime()) ? String(value) : dayAndTime(date)
}

/** From when on there are entries, and why not from earlier. */
export function sinceWords({ since, dropped }: Pick<AuditPage, 'since' | 'dropped'>): string {
	if (since === null) {
		return ''
	}
	const goesBack = t('The log goes back to {time}.', { time: moment(since) })
	return dropped === undefined
		? `${goesBack} ${t('Nothing was dropped from it yet.')}`
		: `${goesBack} ${n('Entries are kept for %n day; older ones, up to entry {number}, were dropped, the last of them: {time}.', 'Entries are kept for %n days; older ones, up to entry {number}, were dropped, the last of them: {time}.', dropped.auditDays, { number: numberWords(dropped.upTo), time: moment(dropped.at) })}`
}

export interface ChainWords {
	type: 'info' | 'success' | 'error' | 'warning'
	heading: string
	text: string
}

/** What is known of the log as a whole. */
export function chainWords({ state, entries = 0, checkedAt, seal, broken }: AuditVerification): ChainWords {
	const count = numberWords(entries)
	switch (state) {
		case 'none':
			return { type: 'info', heading: t('Not checked since SIPCall was started'), text: '' }
		case 'running':
			return { type: 'info', heading: t('Checking …'), text: t('Entries in order so far: {count}', { count }) }
		case 'failed':
			return { type: 'warning', heading: t('The log could not be read to its end'), text: t('This says nothing about its entries. Try again when the database answers.') }
		case 'done': {
			const when = t('Checked: {time}.', { time: moment(checkedAt) })
			return broken === undefined
				? { type: 'success', heading: t('Verified up to entry {number}', { number: count }), text: seal === undefined ? when : `${when} ${t('Seal: {seal}. Note both down outside of this server: what was once there must stay.', { seal })}` }
				: { type: 'error', heading: t('Broken at entry {number}', { number: numberWords(broken.seq) }), text: `${faultWords(broken.why)} ${when} ${t('Find out who can write to the database.')}` }
		}
	}
}

export function numberWords(count: number): string {
	return numberFormat().format(count)
}

function faultWords(why: string): string {
	for (const [pattern, words] of FAULTS) {
		const found = pattern.exec(why)
		if (found !== null) {
			return words(found.groups ?? {})
		}
	}
	return why
}
