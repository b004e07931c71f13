// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readVCard } from '../../../lib/nextcloud/vcard.ts'

function card(...lines: string[]): string {
	return ['BEGIN:VCARD', 'VERSION:4.0', ...lines, 'END:VCARD', ''].join('\r\n')
}

/** The cards in a recording as they went over the wire: put, got, or within an answer's XML. */
function recordedCards(name: string): string[] {
	const text = readFileSync(new URL(`../../fixtures/nextcloud/${name}`, import.meta.url), 'utf8')
	return [...text.matchAll(/BEGIN:VCARD.*?END:VCARD/gs)].map(([found]) => found.replaceAll('&#13;', '').replaceAll('&quot;', '"'))
}

function name(...lines: string[]): string | undefined {
	return readVCard(card(...lines, 'TEL:1'))?.name
}

function tel(line: string) {
	return readVCard(card(line))?.numbers
}

describe('a card recorded from Nextcloud', () => {
	const ERIKA = {
		uid: 'c1-example',
		name: 'Erika Beispiel',
		numbers: [
			{ value: '+49 170 1234567', kind: 'mobile', preference: 101 },
			{ value: '+49 (30) 5550-100', kind: 'work', preference: 101 },
		],
	}
	const OTTO = { uid: 'c2-example', name: 'Otto Vier', numbers: [{ value: 'tel:+1-555-0100;ext=12', kind: 'home', preference: 101 }] }

	it('is read as it was put there, in version 3.0 and 4.0', () => {
		expect(recordedCards('01-carddav-seed.http').map(readVCard)).toEqual([ERIKA, OTTO])
	})

	it('is read as it is handed out: whole, or with some properties only', () => {
		const cards = recordedCards('08-carddav-impersonated.http').map(readVCard)
		expect(cards.filter((found) => found?.uid === 'c1-example')).toEqual([ERIKA, ERIKA])
		expect(cards.filter((found) => found?.uid === 'c2-example')).toEqual([OTTO, OTTO])
		expect(cards.filter((found) => found?.name === 'Leon Green')).toHaveLength(1)
		// Two accounts without a number.
		expect(cards.filter((found) => found === undefined)).toHaveLength(2)
	})
})

describe('a card’s name', () => {
	it.each([
		['stands in FN', ['FN:Anna Weber', 'N:Other;Name;;;'], 'Anna Weber'],
		['goes on behind a line break and a blank or tab', ['FN:Anna ', ' Maria', '\t Weber'], 'Anna Maria Weber'],
		['has its escapes taken off', ['FN:Żółć\\, Jaźń\\; \\\\ Søn'], 'Żółć, Jaźń; \\ Søn'],
		['is one line', ['FN:Anna\\nWeber\\N\u0001 X'], 'Anna Weber X'],
		['is the first FN that says something', ['FN: ', 'FN;PREF=1:Anna'], 'Anna'],
		['may have parameters with a colon in quotes', ['FN;X-NC-SCOPE="a:b;c":Anna'], 'Anna'],
		['may have a character set in its parameters', ['FN;CHARSET=UTF-8:Jürgen'], 'Jürgen'],
		['may be in small letters and in a group', ['item1.fn:Anna'], 'Anna'],
		['is made of N without FN', ['N:Weber;Anna;Maria;Dr.;MdB'], 'Dr. Anna Maria Weber MdB'],
		['is made of an N with holes', ['N:;Anna;;;'], 'Anna'],
		['is made of an N with an escaped semicolon', ['N:We\\;ber;Anna'], 'Anna We;ber'],
		['is the organisation’s without both', ['N:;;;;', 'ORG:Example GmbH;Sales'], 'Example GmbH'],
		['is empty without all three', ['NOTE:FN:Anna'], ''],
		['is not what stands in quoted-printable (2.1), nor what goes on behind it', ['FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen=', 'FN:no name=', 'TEL:no number', 'ORG:Example'], 'Example'],
		['is not what stands in the short form of that', ['FN;QUOTED-PRINTABLE:=C3=BC', 'N:Anna'], 'Anna'],
	])('%s', (_name, lines, expected) => {
		expect(name(...lines)).toBe(expected)
	})

	it('may come with line feeds alone, as XML makes of line breaks', () => {
		expect(readVCard('BEGIN:VCARD\nFN:Anna\n  Weber\nTEL:1\nEND:VCARD')?.name).toBe('Anna Weber')
	})
})

describe('a card’s numbers', () => {
	it.each([
		['TEL:+49 30 1', '+49 30 1', 'other'],
		['TEL;TYPE=CELL:0170 1', '0170 1', 'mobile'],
		['TEL;TYPE=WORK,VOICE:1', '1', 'work'],
		['TEL;TYPE=voice;TYPE=home:1', '1', 'home'],
		['TEL;TYPE="voice,home";VALUE=URI:tel:+1-555-0100;ext=12', 'tel:+1-555-0100;ext=12', 'home'],
		['TEL;VALUE=uri:tel:+1-555-0100\\;ext=12', 'tel:+1-555-0100;ext=12', 'other'],
		['TEL;TYPE=WORK,CELL:1', '1', 'mobile'],
		['TEL;TYPE=WORK,FAX:1', '1', 'fax'],
		['TEL;TYPE=PAGER:1', '1', 'pager'],
		['TEL;TYPE=main:1', '1', 'main'],
		['TEL;WORK;VOICE:1', '1', 'work'],
		['TEL;X-LABEL="Desk: 2; home":1', '1', 'other'],
		['item1.TEL;type=iPhone:1', '1', 'mobile'],
		['tel;type=\'x\':٠٣٠', '٠٣٠', 'other'],
	])('%s', (line, value, kind) => {
		expect(tel(line)).toEqual([{ value, kind, preference: 101 }])
	})

	it.each([
		['TEL;TYPE=pref:1', 1],
		['TEL;PREF=7:1', 7],
		['TEL;PREF=7;TYPE=pref:1', 7],
		['TEL;PREF=0:1', 101],
		['TEL;PREF=x:1', 101],
	])('%s has the preference %s', (line, preference) => {
		expect(tel(line)).toMatchObject([{ preference }])
	})

	it.each(['TEL:', 'TEL: ', 'TEL:ask Anna', 'TEL', 'TEL;TYPE=CELL', 'TEL;TYPE="CELL:1', 'TELEX:1', 'X-TEL:1', 'EMAIL:1@example.net'])('%j is none, and a card without one is passed over', (line) => {
		expect(tel(line)).toBeUndefined()
	})

	it('keep their order, and one that is none does not take the others along', () => {
		expect(readVCard(card('TEL:1', 'TEL:', 'TEL:2', '@@@', 'TEL:3'))?.numbers.map(({ value }) => value)).toEqual(['1', '2', '3'])
	})
})

describe('reading a card', () => {
	it('never throws, whatever stands in it', () => {
		const piece = fc.oneof(fc.constantFrom('TEL', 'FN', 'N', 'ORG', 'UID', ':', ';', '"', '\\', '=', ',', '.', '\r\n', '\n', ' ', '\t', 'TYPE=', 'ENCODING=QUOTED-PRINTABLE', '1'), fc.string({ unit: 'binary' }))
		fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
			const found = readVCard(pieces.join(''))
			expect(found === undefined || found.numbers.length > 0).toBe(true)
		}))
	})

	it.each([['quotes', '"'], ['backslashes', '\\'], ['semicolons', ';'], ['blanks', ' '], ['line breaks', '\r\n '], ['commas', ','], ['dots', '.']])('comes to an end with a megabyte of %s', (_name, character) => {
		const long = character.repeat(1_000_000)
		expect(() => readVCard(card(`FN:${long}`, `N${long}:x`, `N:${long}`, `ORG:${long}`, `TEL;TYPE=${long}:1`, `TEL:${long}1`, long))).not.toThrow()
	})
})
