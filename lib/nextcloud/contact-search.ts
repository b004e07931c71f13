// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Cards made ready to be searched, once for each load, so that a search only compares texts. Pure.

import type { NumberKind, VCard, VCardNumber } from './vcard.ts'

import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { dialledDigits } from '../numbering/dialled-digits.ts'
import { parseNumber } from '../numbering/parse-number.ts'

export interface ContactNumber {
	e164: string
	/** As people write it internationally; with ` ext. 12` where the card has an extension. */
	display: string
	type: NumberKind
}

export interface Contact {
	name: string
	/** At least one. The preferred one first; fax and pager last. */
	numbers: ContactNumber[]
	uid: string
}

export interface NumberMatch {
	/** `maybe`: another number with the same end. */
	match: 'exact' | 'maybe'
	contact: Contact
}

export interface SearchableContact {
	contact: Contact
	/** The name's words in plain small letters, a blank before each. */
	words: string
	/** The digits of each number, as E.164 and as dialled within its country, a blank before each. */
	digits: string
}

const MOST_RESULTS = 20
/** As many last digits tell two numbers of one country code apart in nearly all cases. */
const TELLING_DIGITS = 8

/** The `0` that is not dialled behind a country code; whole numbers are read by the rules for it, typed beginnings are not. */
const TRUNK_ZERO = /^(\s*\+[^(]{1,8})\(\s*0\s*\)/

/** Letters that Unicode does not take apart into a plain one and an accent. */
const PLAIN: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ı: 'i', ħ: 'h' }

const byName = new Intl.Collator('en', { sensitivity: 'base' })
const byKind: Readonly<Partial<Record<NumberKind, number>>> = { fax: 1, pager: 2 }

/**
 * @param uid for a card that has none
 * @param homeCountry ISO country for numbers in national form
 * @return undefined when none of its numbers can be dialled
 */
export function toSearchable(card: VCard, uid: string, homeCountry: string | null): SearchableContact | undefined {
	const numbers = new Map<string, ContactNumber>()
	for (const number of card.numbers.toSorted((one, other) => (byKind[one.kind] ?? 0) - (byKind[other.kind] ?? 0) || one.preference - other.preference)) {
		const read = readContactNumber(number, homeCountry)
		if (read !== undefined && !numbers.has(read.display)) {
			numbers.set(read.display, read)
		}
	}
	const [first] = numbers.values()
	if (first === undefined) {
		return undefined
	}
	const contact = { name: card.name || first.display, numbers: [...numbers.values()], uid: card.uid || uid }
	return {
		contact,
		words: ` ${wordsOf(contact.name)}`,
		digits: contact.numbers.map(({ e164 }) => ` ${e164.slice(1)} ${nationalDigits(e164)}`).join(''),
	}
}

/** In the order of names; a card that stands in two books stands here once. */
export function arrange(contacts: readonly SearchableContact[]): SearchableContact[] {
	const unique = new Map(contacts.map((entry) => [JSON.stringify(entry.contact), entry]))
	return [...unique.values()].sort((one, other) => byName.compare(one.contact.name, other.contact.name))
}

/**
 * At most 20 contacts: names that begin with the text, names with words that begin with its words, names that hold it,
 * numbers that begin with its digits, numbers that hold them.
 *
 * @param contacts as `arrange` gives them
 */
export function searchContacts(contacts: readonly SearchableContact[], text: string, homeCountry: string | null): Contact[] {
	const words = wordsOf(text)
	const starts = words.split(' ').map((word) => ` ${word}`)
	const digits = wantedDigits(text, homeCountry)
	const rankOf = (entry: SearchableContact): number | undefined => {
		if (words !== '' && entry.words.startsWith(` ${words}`)) {
			return 0
		}
		if (words !== '' && starts.every((start) => entry.words.includes(start))) {
			return 1
		}
		if (words !== '' && entry.words.includes(words)) {
			return 2
		}
		if (digits.some((wanted) => entry.digits.includes(` ${wanted}`))) {
			return 3
		}
		return digits.some((wanted) => entry.digits.includes(wanted)) ? 4 : undefined
	}
	const ranks: Contact[][] = [[], [], [], [], []]
	for (const entry of contacts) {
		const rank = rankOf(entry)
		const found = rank === undefined ? undefined : ranks[rank]
		if (found !== undefined && found.length < MOST_RESULTS) {
			found.push(entry.contact)
		}
	}
	return ranks.flat().slice(0, MOST_RESULTS)
}

/** Who has this number, then who has one with the same last digits; at most 20. */
export function matchNumber(contacts: readonly SearchableContact[], e164: string): NumberMatch[] {
	const end = e164.slice(1).slice(-TELLING_DIGITS)
	const exact: NumberMatch[] = []
	const maybe: NumberMatch[] = []
	for (const { contact } of contacts) {
		if (contact.numbers.some((number) => number.e164 === e164)) {
			exact.push({ match: 'exact', contact })
		} else if (end.length === TELLING_DIGITS && contact.numbers.some((number) => number.e164.endsWith(end))) {
			maybe.push({ match: 'maybe', contact })
		}
	}
	return [...exact, ...maybe].slice(0, MOST_RESULTS)
}

function readContactNumber({ value, kind }: VCardNumber, homeCountry: string | null): ContactNumber | undefined {
	const number = parseNumber(value, homeCountry)
	return 'fault' in number ? undefined : { e164: number.e164, display: number.display, type: kind }
}

function nationalDigits(e164: string): string {
	return (parsePhoneNumberFromString(e164)?.formatNational() ?? '').replace(/\D/g, '')
}

/** What a text of digits may mean; a text with letters in it means a name. */
function wantedDigits(text: string, homeCountry: string | null): string[] {
	const number = parseNumber(text, homeCountry)
	const digits = dialledDigits(text.replace(TRUNK_ZERO, '$1')).replace(/^\+/, '')
	const isDigits = /^\d+$/.test(digits)
	return [
		...('fault' in number ? [] : [number.e164.slice(1)]),
		...(isDigits ? [digits] : []),
		// Dialled so from most countries for the `+`.
		...(isDigits && /^00\d/.test(digits) ? [digits.slice(2)] : []),
	]
}

/** Words of letters and digits alone, in small letters without accents, one blank between them. */
function wordsOf(text: string): string {
	return text.toLowerCase().normalize('NFKD')
		.replace(/[\u0300-\u036f'’]/g, '')
		.replace(/[ßøłđðþæœıħ]/g, (letter) => PLAIN[letter] ?? letter)
		.replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
		.trim()
}
