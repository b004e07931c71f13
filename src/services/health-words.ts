// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** How a part, and a step of a test, is shown: its name, its state in a word and an icon, what is and what to do. */

import type { ConfigTest, Health, HealthPart, TestCall } from './admin-api.ts'
import type { AdminPage } from './routes.ts'

import { findingWords } from './finding-words.ts'
import { t } from './l10n.ts'
import { iconDegraded, iconDown, iconNotSetUp, iconWorking } from './state-icons.ts'

export type ShownState = HealthPart['state'] | 'not_run'

/** A part or a step, in words. */
export interface ShownFinding {
	/** Unique in its list. */
	/** No two in a list have the same. */
	key: string
	/** What it is about. */
	id: string
	name: string
	state: ShownState
	/** The state in a word. */
	word: string
	ms?: number | undefined
	text: string
	advice?: string | undefined
	page?: AdminPage | undefined
	/** For a report: stable, in no language. */
	code: string
}

type Step = ConfigTest['steps'][number]

function stateWord(state: HealthPart['state']): string {
	switch (state) {
		case 'ok':
			return t('Working')
		case 'degraded':
			return t('Degraded')
		case 'down':
			return t('Down')
		case 'not_set_up':
			return t('Not set up')
	}
}

export function stateIcon(state: ShownState): string {
	return state === 'ok' ? iconWorking : state === 'degraded' ? iconDegraded : state === 'down' ? iconDown : iconNotSetUp
}

/** Of all parts together. */
export function healthWords({ state }: Health): string {
	switch (state) {
		case 'ok':
			return t('Everything works.')
		case 'degraded':
			return t('Calling works, with faults.')
		case 'down':
			return t('Nobody can call.')
		case 'not_set_up':
			return t('Something is not set up yet.')
	}
}

export function shownPart(part: HealthPart): ShownFinding {
	const found = shown(part, partName(part), stateWord(part.state))
	const more = [
		...(part.load === undefined ? [] : [loadWords(part.load)]),
		...(part.breaker === undefined || part.breaker === 'closed' ? [] : [t('It is left alone for a few seconds, and then asked again.')]),
	]
	return { ...found, text: [found.text, ...more].join(' ') }
}

/** What a FreeSWITCH takes. */
function loadWords({ callsPerSec, sessions, maxSessions }: NonNullable<HealthPart['load']>): string {
	return sessions === undefined || maxSessions === undefined
		? t('Calls a second: at most {calls}.', { calls: callsPerSec })
		: t('Calls a second: at most {calls}. Sessions: {sessions} of {max}.', { calls: callsPerSec, sessions, max: maxSessions })
}

export function shownStep(step: Step): ShownFinding {
	// Whether it works is a part's affair; a step was taken well or not. The page that is open is where it is mended.
	return { ...shown(step, stepName(step), stepWord(step.state)), page: undefined }
}

/** The one hop that only the page can see. */
export function shownBrowser(ms: number | undefined): ShownFinding {
	return ms === undefined
		? { key: 'browser', id: 'browser', name: t('Browser'), code: 'browser_down', state: 'down', word: stateWord('down'), text: t('Nextcloud does not answer this browser.'), advice: t('Check the connection of this computer.') }
		: { key: 'browser', id: 'browser', name: t('Browser'), code: 'browser_ok', state: 'ok', word: stateWord('ok'), ms, text: t('Nextcloud answers this browser.') }
}

function stepWord(state: ShownState): string {
	switch (state) {
		case 'ok':
			return t('Passed')
		case 'degraded':
			return t('Warning')
		case 'not_run':
			return t('Not tried')
		default:
			return t('Failed')
	}
}

/** Of these parts several things may be found at once. */
const SEVERAL: ReadonlySet<string> = new Set(['carrier', 'keys', 'records'])

function shown(found: HealthPart | Step, name: string, word: string): ShownFinding {
	const { text, advice } = findingWords(found)
	return {
		key: `${found.id} ${found.name ?? found.values?.position ?? (SEVERAL.has(found.id) ? found.code : '')}`,
		id: `${found.id} ${found.name ?? found.values?.position ?? ''}`.trim(),
		name,
		state: found.state,
		word,
		ms: found.latencyMs,
		text,
		advice,
		page: found.page,
		code: found.code ?? found.state,
	}
}

function partName({ id, name = '' }: HealthPart): string {
	switch (id) {
		case 'volume':
			return t('Volume')
		case 'database':
			return t('Database')
		case 'read_replica':
			return t('Read replica: {name}', { name })
		case 'spool':
			return t('Waiting for the database')
		case 'keys':
			return t('Encryption key')
		case 'records':
			return t('Records of data protection')
		case 'gateway':
			return name === '' ? t('Gateway') : t('Gateway: {name}', { name })
		case 'carrier':
			return t('Phone company')
		case 'calling':
			return t('Who may call')
		case 'spending':
			return t('Spending')
		case 'sign_in':
			return t('Sign-in of other programs')
		case 'backups':
			return t('Backups')
		case 'settings':
			return t('Settings')
		case 'removed_users':
			return t('Removed users')
		case 'locked_users':
			return t('Locked users')
		default:
			return `${{ nextcloud: 'Nextcloud', sipcall: 'SIPCall', redis: 'Redis', freeswitch: 'FreeSWITCH' }[id]}${name === '' ? '' : ` ${name}`}`
	}
}

function stepName({ id, name = '' }: Step): string {
	switch (id) {
		case 'reachable':
			return t('Reachable')
		case 'password':
			return t('Password')
		case 'commands':
			return t('Commands')
		case 'version':
			return t('Version')
		case 'gateway':
			return t('Gateway: {name}', { name })
		case 'caller_id':
			return t('Caller ID')
		case 'carrier':
			return t('Phone company')
	}
}

/** What a test call is doing; the last of its steps that was reached. */
export function testCallWords({ steps, passed }: TestCall, device: string): string {
	const last = steps.at(-1)?.id
	if (passed !== undefined) {
		return passed ? t('The way to this phone works.') : t('The test call failed.')
	}
	return last === undefined ? t('The call is being started …') : testStepWords(last, device)
}

export function testStepWords(step: TestCall['steps'][number]['id'], device: string): string {
	switch (step) {
		case 'accepted':
			return t('FreeSWITCH has taken the call.')
		case 'ringing':
			return t('“{device}” is ringing.', { device })
		case 'answered':
			return t('“{device}” was picked up. Say something: it comes back.', { device })
		case 'ended':
			return t('The call is over.')
	}
}

/**
 * All of it as a text to hand on, in English codes beside the words. Whoever names a gateway after a phone number must not
 * give that away: longer runs of digits are left out.
 */
export function reportText(checkedAt: string, findings: readonly ShownFinding[]): string {
	const lines = findings.map(({ name, state, ms, code, text, advice }) => `${name}: ${state} (${code}${ms === undefined ? '' : `, ${ms} ms`}) – ${text}${state === 'ok' || advice === undefined ? '' : ` ${advice}`}`.replaceAll(/\d{5,}/g, '(digits)'))
	return [`SIPCall, ${checkedAt}`, ...lines].join('\n')
}
