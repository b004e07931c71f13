// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from '../../../lib/calls/call.ts'

import { describe, expect, it } from 'vitest'
import { writeCallCsv } from '../../../lib/http/call-csv.ts'
import { newCall } from '../../support/replay-call.ts'

async function written(pages: Partial<Call>[][]): Promise<string[]> {
	const call = newCall({ aUuid: 'a', bUuid: 'b', jobUuid: undefined })
	const made = async function* () {
		for (const page of pages) {
			yield page.map((values) => ({ ...call, ...values }))
		}
	}
	const pieces: string[] = []
	for await (const piece of writeCallCsv(made())) {
		pieces.push(piece)
	}
	return pieces
}

async function noteCell(note: string): Promise<string> {
	const [text = ''] = await written([[{ talkMs: 7_000, note, tags: ['t'] }]])
	const row = text.slice(text.indexOf('\r\n') + 2)
	return row.slice(row.indexOf(',7,') + 3, -',t,\r\n'.length)
}

describe('calls as CSV', () => {
	it('have one piece for each page and one header', async () => {
		const pieces = await written([[{}, {}], [{}]])
		expect(pieces.map((piece) => piece.split('\r\n').length - 1)).toEqual([3, 1])
		expect(pieces.join('').match(/^uuid,/gm)).toHaveLength(1)
	})

	it('are a header alone when there are none', async () => {
		expect(await written([])).toEqual([expect.stringMatching(/^uuid,.*tags,extension\r\n$/)])
	})

	it.each([
		['=1+1', '\'=1+1'],
		['+1+1', '\'+1+1'],
		['-2', '\'-2'],
		['@SUM(A1)', '\'@SUM(A1)'],
		['\t=1', '\'\t=1'],
		[' =1', '\' =1'],
		['＝1', '\'＝1'],
		['+49 30 123', '\'+49 30 123'],
		['+4930123456', '+4930123456'],
		['a=b', 'a=b'],
		['say "no", please', '"say ""no"", please"'],
		['two\nlines', '"two\nlines"'],
		['=a,"b"', '"\'=a,""b"""'],
		['', ''],
	])('write %j as %s', async (note, cell) => {
		expect(await noteCell(note)).toBe(cell)
	})
})
