// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// docs/admin/troubleshooting.md from the catalogue of findings.

import type { Meaning } from '../lib/health/findings.ts'

import { FINDING_GROUPS } from '../lib/health/findings.ts'

/** What stands before it is written by hand. */
const MARK = '<!-- From here on made by `make docs` from lib/health/findings.ts -->'

const WHO = { admin: 'an administrator', carrier: 'the phone company', nobody: 'nobody: it passes, or is no fault' } as const
const HOW_BAD = { ok: '', degraded: 'works, with faults', down: 'does not work', not_set_up: 'not set up' } as const
const PAGES = { connection: 'Connection', policy: 'Policy', users: 'Users', privacy: 'Privacy' } as const

function row(code: string, { state, text, advice = '', fixableBy, page, doc }: Meaning): string {
	const where = [page === undefined ? undefined : `*${PAGES[page]}*`, doc === undefined || doc === 'doctor' ? undefined : `[${doc}](${doc}.md)`].filter((place) => place !== undefined)
	return `| \`${code}\` | ${text} | ${HOW_BAD[state]} | ${fixableBy === undefined ? '' : WHO[fixableBy]} | ${advice} | ${where.join(', ')} |`
}

/**
 * @param document the file as it is
 * @return the file as it should be: what stands before the mark, and the catalogue
 */
export function withTables(document: string): string {
	const byHand = document.slice(0, document.indexOf(MARK))
	const faults = FINDING_GROUPS.map(({ title, findings }) => [
		`## ${title}`,
		'',
		'| Code | What is | State | Who can mend it | How | Where |',
		'|---|---|---|---|---|---|',
		...Object.entries(findings).filter(([, { state }]) => state !== 'ok').map(([code, meaning]) => row(code, meaning)),
	].join('\n'))
	const well = FINDING_GROUPS.flatMap(({ findings }) => Object.entries(findings)).filter(([, { state }]) => state === 'ok').map(([code, { text }]) => `| \`${code}\` | ${text} |`)
	return [`${byHand}${MARK}`, ...faults, ['## Nothing is wrong', '', '| Code | What is |', '|---|---|', ...well].join('\n')].join('\n\n').concat('\n')
}
