// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What all parts together come to, and how it is told to Nextcloud's setup checks and at a console.

import type { GuardState } from '../guard.ts'
import type { Finding, Meaning } from './findings.ts'

import { FINDINGS } from './findings.ts'

/** In the order in which a call passes them; what follows the carrier is no place but a rule. */
export const PART_IDS = ['nextcloud', 'sipcall', 'volume', 'database', 'read_replica', 'spool', 'keys', 'records', 'redis', 'freeswitch', 'gateway', 'carrier', 'calling', 'spending', 'sign_in', 'backups', 'settings', 'removed_users', 'locked_users'] as const

export type PartId = typeof PART_IDS[number]

export interface Part extends Finding {
	id: PartId
	/** Of several of one kind, such as the gateway’s. */
	name?: string
	latencyMs?: number
	/** Whether it is asked at all just now; see GuardState. Left out for what has no guard. */
	breaker?: GuardState['breaker']
	/** Of a FreeSWITCH that is connected. */
	load?: {
		sessions?: number
		maxSessions?: number
		sessionsPerSec?: number
		heartbeatAgeSec?: number
		/** At most, from this server. */
		callsPerSec: number
		/** For their turn, now. */
		waiting: number
		/** Since the start, because too many waited. */
		refused: number
	}
}

export interface Report {
	checkedAt: Date
	state: Part['state']
	parts: Part[]
}

export type Severity = 'ok' | 'warning' | 'error'

/** How loudly a part is told. */
export function severityOf({ code, state }: Finding): Severity {
	const { severity }: Meaning = FINDINGS[code]
	return severity ?? (state === 'ok' ? 'ok' : state === 'down' ? 'error' : 'warning')
}

/** Of which one that is up is enough to call. */
const ALTERNATIVES: readonly PartId[] = ['freeswitch', 'gateway']

/** Of all other parts each is needed. */
export function stateOf(parts: readonly Part[]): Report['state'] {
	const isDown = (part: Part) => part.state === 'down' && severityOf(part) === 'error'
	const areAllDown = (id: PartId) => parts.some((part) => part.id === id) && parts.every((part) => part.id !== id || isDown(part))
	if (parts.some((part) => !ALTERNATIVES.includes(part.id) && isDown(part)) || ALTERNATIVES.some(areAllDown)) {
		return 'down'
	}
	const faulty = parts.filter((part) => severityOf(part) !== 'ok')
	return faulty.some(({ state }) => state === 'not_set_up') ? 'not_set_up' : faulty.length > 0 ? 'degraded' : 'ok'
}

export function reportOf(parts: readonly Part[], checkedAt: Date): Report {
	const place = ({ id }: Part) => PART_IDS.indexOf(id)
	return { checkedAt, state: stateOf(parts), parts: parts.toSorted((a, b) => place(a) - place(b)) }
}

const DOCUMENTS = 'https://github.com/sipcall/sipcall/blob/main/docs/admin/'
const STATUSES = { ok: 'success', warning: 'warning', error: 'error' } as const

/** AppAPI's answer to `GET /setup_checks`, by the check's id: letters and `_`. */
export function setupChecksAnswer({ parts }: Report): Record<string, { status: string, text: string, link_url: string, link_label: string }> {
	return Object.fromEntries(parts.map((part, at) => {
		const { doc = 'doctor' }: Meaning = FINDINGS[part.code]
		const alike = parts.filter(({ id }, index) => id === part.id && index < at).length
		return [alike === 0 ? part.id : `${part.id}_${alike + 1}`, {
			status: STATUSES[severityOf(part)],
			text: sentence(part),
			link_url: `${DOCUMENTS}${doc}.md`,
			link_label: 'Documentation',
		}]
	}))
}

const MARKS = { ok: 'ok   ', warning: 'WARN ', error: 'ERROR' } as const

/** Lines for a console. */
export function statusLines({ parts }: Report): string[] {
	return parts.map((part) => `${MARKS[severityOf(part)]} ${sentence(part)}`)
}

function sentence(part: Part): string {
	const { id, name, text, advice, load, breaker } = part
	const whose = name === undefined ? '' : id === 'gateway' ? `Gateway ${name}: ` : `${name}: `
	const takes = load === undefined ? '' : ` Calls a second: at most ${load.callsPerSec}.`
	const alone = breaker === undefined || breaker === 'closed' ? '' : ' It is left alone for a few seconds, and then asked again.'
	return `${whose}${text}${takes}${alone}${advice === undefined || severityOf(part) === 'ok' ? '' : ` ${advice}`}`
}
