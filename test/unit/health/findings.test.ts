// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { FindingCode, Meaning } from '../../../lib/health/findings.ts'

import { readFileSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { finding, FINDINGS } from '../../../lib/health/findings.ts'
import { withTables } from '../../../scripts/troubleshooting-table.ts'

const ALL = Object.entries(FINDINGS) as [FindingCode, Meaning][]

describe('a finding', () => {
	it.each(ALL)('%s says what to do and who can do it, unless all is well', (_code, { state, advice, fixableBy, doc }) => {
		expect(advice !== undefined && advice.length > 10).toBe(state !== 'ok')
		expect(fixableBy !== undefined).toBe(state !== 'ok')
		expect(doc !== undefined || state === 'ok').toBe(true)
	})

	it('leads to a page of the documentation that is there', async () => {
		for (const doc of new Set(ALL.flatMap(([, meaning]) => meaning.doc ?? []))) {
			await access(new URL(`../../../docs/admin/${doc}.md`, import.meta.url))
		}
	})

	it('stands in the documentation as it is: make docs writes it there', () => {
		const text = readFileSync(new URL('../../../docs/admin/troubleshooting.md', import.meta.url), 'utf8')
		expect(text).toBe(withTables(text))
		ALL.forEach(([code, { text: sentence, advice = '' }]) => expect(text.split('\n').filter((line) => line.includes(`| \`${code}\` | ${sentence} |`) && line.includes(advice)), code).toHaveLength(1))
	})

	it('fills its values into the sentence, and leaves what was not given', () => {
		expect(finding('clock_skew', { seconds: 7 })).toMatchObject({ state: 'degraded', text: 'The clocks of Nextcloud and SIPCall are 7 seconds apart.', values: { seconds: 7 } })
		expect(finding('switch_ok').text).toContain('{version}')
	})
})
