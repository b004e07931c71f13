// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Contact, SearchableContact } from '../../../lib/nextcloud/contact-search.ts'

import { describe, expect, it } from 'vitest'
import { arrange, matchNumber, searchContacts, toSearchable } from '../../../lib/nextcloud/contact-search.ts'
import { readVCard } from '../../../lib/nextcloud/vcard.ts'

function card(name: string, ...lines: string[]): string {
	return ['BEGIN:VCARD', 'VERSION:3.0', `UID:${name}`, `FN:${name}`, ...lines.map((line) => line.includes(':') ? line : `TEL:${line}`), 'END:VCARD'].join('\n')
}

function arranged(cards: string[], homeCountry: string | null = 'DE'): SearchableContact[] {
	return arrange(cards.flatMap((text, position) => {
		const read = readVCard(text)
		return (read && toSearchable(read, `${position}.vcf`, homeCountry)) ?? []
	}))
}

function search(cards: string[], text: string, homeCountry: string | null = 'DE'): Contact[] {
	return searchContacts(arranged(cards, homeCountry), text, homeCountry)
}

function namesOf(cards: string[], text: string): string[] {
	return search(cards, text).map(({ name }) => name)
}

function numbersOf(lines: string[], homeCountry: string | null = 'DE') {
	return search([card('x', ...lines)], 'x', homeCountry).flatMap(({ numbers }) => numbers)
}

describe('a contact', () => {
	it('has a name, its numbers in E.164 and a uid', () => {
		expect(search([card('Erika', 'TEL;TYPE=CELL:0170/123 45 67', 'TEL;TYPE=WORK:+49 (30) 5550-100')], 'erika')).toEqual([{
			name: 'Erika',
			uid: 'Erika',
			numbers: [
				{ e164: '+491701234567', display: '+49 170 1234567', type: 'mobile' },
				{ e164: '+49305550100', display: '+49 30 5550100', type: 'work' },
			],
		}])
	})

	it.each([
		['tel:+49-30-123456;ext=12', '+49 30 123456 ext. 12'],
		['tel:tel:+49-30-123456', '+49 30 123456'],
		['tel:123456;ext=7;phone-context=+4930', '+49 30 123456 ext. 7'],
		['030 123456 ext. 12', '+49 30 123456 ext. 12'],
		['+49 30 123456x12', '+49 30 123456 ext. 12'],
		['+49 (0)30 123456', '+49 30 123456'],
	])('with %s is called at the number alone, and shown %s', (value, display) => {
		expect(numbersOf([`TEL;VALUE=uri:${value}`])).toEqual([{ e164: '+4930123456', display, type: 'other' }])
	})

	it('shows its preferred number first, fax and pager last, each once', () => {
		const lines = ['TEL;TYPE=FAX,PREF:+4930100001', 'TEL;TYPE=PAGER:+4930100002', 'TEL;TYPE=HOME:+4930100003', 'TEL;PREF=2:+4930100004', 'TEL;TYPE=PREF:+4930100005', 'TEL:030 100003']
		expect(numbersOf(lines).map(({ e164 }) => e164)).toEqual(['+4930100005', '+4930100004', '+4930100003', '+4930100001', '+4930100002'])
	})

	it('leaves out what is no number, and is left out itself when it has no other', () => {
		expect(numbersOf(['+999999999999', '+49 30 123456', '12', '*100#', `+4930${'1'.repeat(300)}`])).toHaveLength(1)
		expect(numbersOf(['+999999999999'])).toEqual([])
	})

	it('with a number in national form needs to know the country', () => {
		expect(numbersOf(['030 123456'], null)).toEqual([])
		expect(numbersOf(['030 123456'], 'DE')).toMatchObject([{ e164: '+4930123456' }])
		expect(numbersOf(['030 123456'], 'SE')).toMatchObject([{ e164: '+4630123456' }])
	})

	it('without a name is called by its number; without a uid it has its address', () => {
		const [contact] = search(['BEGIN:VCARD\nTEL:+4930123456\nEND:VCARD'], '30123')
		expect(contact).toMatchObject({ name: '+49 30 123456', uid: '0.vcf' })
	})
})

describe('a search', () => {
	const PEOPLE = [
		card('Johanna Meyer', '+49 30 100001'),
		card('Weber, Anna', '+49 30 100002'),
		card('Anna Weber', '+49 30 100003'),
		card('Annabel Åkesson', '+46 8 100004'),
		card('Jürgen Weiß', '+49 30 100005'),
	]

	it.each([
		['anna', ['Anna Weber', 'Annabel Åkesson', 'Weber, Anna', 'Johanna Meyer']],
		['ANNA W', ['Anna Weber', 'Weber, Anna']],
		['we an', ['Anna Weber', 'Weber, Anna']],
		['weber anna', ['Weber, Anna', 'Anna Weber']],
		['akes', ['Annabel Åkesson']],
		['ÅKE', ['Annabel Åkesson']],
		['jurgen weiss', ['Jürgen Weiß']],
		['JÜRGEN', ['Jürgen Weiß']],
		['  anna   weber  ', ['Anna Weber', 'Weber, Anna']],
		['nobody', []],
		['!', []],
		[' ', []],
	])('for %j finds whose name begins so, then has such words, then holds it', (text, names) => {
		expect(namesOf(PEOPLE, text)).toEqual(names)
	})

	it.each(['O\'Brien', 'o’brien', 'obrien'])('for %s finds an apostrophe and what is written without', (text) => {
		expect(namesOf([card('Conan O’Brien', '+4930100001')], text)).toEqual(['Conan O’Brien'])
	})

	it.each(['+4930123', '4930123', '004930123', '030123', '030 / 123', '0301234', '30123', '123456', '+49 (0)30 123', '+49 (0)30 123456', '030 123456', 'tel:+49-30-123456', '٠٣٠١٢٣', '０３０１２３'])('for the digits %s finds the number', (text) => {
		expect(namesOf([card('Anna', '+49 30 123456'), card('Bob', '+49 89 9876543')], text)).toEqual(['Anna'])
	})

	it('for digits finds a number of another country in its own form', () => {
		expect(namesOf([card('Anna', '+44 20 7946 0000')], '0207946')).toEqual(['Anna'])
	})

	it('finds names before numbers, and numbers that begin so before those that hold it', () => {
		expect(namesOf([card('A', '+49 30 777301'), card('B', '+49 7301 123456'), card('Room 7301', '+49 30 123456')], '07301')).toEqual(['B'])
		expect(namesOf([card('A', '+49 30 777301'), card('B', '+49 30 301555'), card('Room 301', '+49 89 123456')], '301')).toEqual(['Room 301', 'A', 'B'])
		expect(namesOf([card('A', '+49 30 494999'), card('B', '+49 30 123456')], '4930')).toEqual(['A', 'B'])
		expect(namesOf([card('A', '+1 212 555 4930'), card('B', '+49 30 123456')], '4930')).toEqual(['B', 'A'])
	})

	it('finds 20 at most, the best of them', () => {
		const many = Array.from({ length: 50 }, (_none, number) => card(`Max ${String(number).padStart(2, '0')}`, `+49301000${number + 10}`))
		const names = namesOf([...many, card('Zoe Maxwell', '+4930123456'), card('Max', '+4930123457')], 'max')
		expect(names).toHaveLength(20)
		expect(names.slice(0, 2)).toEqual(['Max', 'Max 00'])
	})
})

describe('whose number it is', () => {
	it('is told exactly first, then maybe: by the last eight digits', () => {
		const contacts = arranged([card('Maybe', '+43 1 12345678'), card('Exact', '+4989111111', '+49 30 12345678'), card('Seven', '+49 30 92345678')])
		expect(matchNumber(contacts, '+493012345678').map(({ match, contact }) => [match, contact.name])).toEqual([['exact', 'Exact'], ['maybe', 'Maybe']])
		expect(matchNumber(contacts, '+493000000000')).toEqual([])
	})

	it('is not guessed from fewer than eight digits', () => {
		expect(matchNumber(arranged([card('Long', '+49 30 1234567')]), '+1234567')).toEqual([])
	})
})
