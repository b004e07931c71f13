// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Just as much of vCard as a phone needs: who, and which numbers (RFC 6350; 3.0 as in RFC 2426, as Nextcloud hands all
// cards out). Own code, because the libraries for it read whole cards, photos and dates included, throw on the first line
// they do not like, or are no longer kept; five properties of one card are a page.

/** What a number is for, told from its TYPE parameters. */
export type NumberKind = 'mobile' | 'work' | 'home' | 'main' | 'fax' | 'pager' | 'other'

export interface VCardNumber {
	/** As it stands in the card: free text, or a `tel:` URI. */
	value: string
	kind: NumberKind
	/** 1 = rather this one, 101 = nothing is said (RFC 6350 section 5.3). */
	preference: number
}

export interface VCard {
	/** Empty when the card has none. */
	uid: string
	/** One line; empty when the card names neither a person nor an organisation. */
	name: string
	/** At least one. */
	numbers: VCardNumber[]
}

interface Property {
	name: string
	/** Names in upper case, values in lower case; a value without a name (vCard 2.1) is a TYPE. */
	parameters: { name: string, values: string[] }[]
	value: string
}

/** RFC 6350 section 3.3: a group may stand before the name. */
const WANTED = /^(?:[\w-]+\.)?(?:FN|N|ORG|TEL|UID)[;:]/i
const QUOTED_PRINTABLE = /^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE[;:]/i
const NO_PREFERENCE = 101

/** The first that stands among a number's types says what it is: a fax at work is a fax. */
const KINDS: readonly (readonly [type: string, kind: NumberKind])[] = [
	['fax', 'fax'],
	['pager', 'pager'],
	['cell', 'mobile'],
	['mobile', 'mobile'],
	['iphone', 'mobile'],
	['work', 'work'],
	['home', 'home'],
	['main', 'main'],
]

/**
 * Reads one card. It never throws: lines that make no sense are passed over.
 *
 * @param text of version 3.0 or 4.0; of 2.1 all but what is written in quoted-printable
 * @return undefined for a card without a number
 */
export function readVCard(text: string): VCard | undefined {
	const properties = readProperties(text)
	const firstOf = (name: string) => properties.filter((property) => property.name === name)
		.map(({ value }) => value).find((value) => value.trim() !== '') ?? ''
	const numbers = properties.filter(({ name }) => name === 'TEL').map(readTel).filter(({ value }) => /\p{Nd}/u.test(value))
	if (numbers.length === 0) {
		return undefined
	}
	return {
		uid: unescape(firstOf('UID')).trim(),
		name: oneLine(unescape(firstOf('FN'))) || nameOf(firstOf('N')) || oneLine(unescape(splitUnescaped(firstOf('ORG'))[0] ?? '')),
		numbers,
	}
}

function readProperties(text: string): Property[] {
	// Section 3.2: a line break before a blank or tab is no line break.
	const lines = text.replace(/\r?\n[ \t]/g, '').split(/\r\n?|\n/)
	const properties: Property[] = []
	let isQuotedPrintable = false
	for (const line of lines) {
		// In 2.1 such a value goes on behind each `=` at a line's end; its lines are no properties.
		if (isQuotedPrintable || QUOTED_PRINTABLE.test(line)) {
			isQuotedPrintable = line.endsWith('=')
		} else if (WANTED.test(line)) {
			const property = readLine(line)
			if (property !== undefined) {
				properties.push(property)
			}
		}
	}
	return properties
}

/** `group.NAME;PARAMETER=value,"quoted: value":value` */
function readLine(line: string): Property | undefined {
	const parts: string[] = []
	let start = 0
	let isQuoted = false
	for (let position = 0; position < line.length; position++) {
		const character = line.charAt(position)
		isQuoted = character === '"' ? !isQuoted : isQuoted
		if (isQuoted || (character !== ':' && character !== ';')) {
			continue
		}
		// Without the quotes `TYPE="voice,home"` reads as the list that is meant by it.
		parts.push(line.slice(start, position).replaceAll('"', ''))
		start = position + 1
		if (character === ':') {
			const [head = '', ...parameters] = parts
			return { name: head.slice(head.indexOf('.') + 1).toUpperCase(), parameters: parameters.map(readParameter), value: line.slice(start) }
		}
	}
	return undefined
}

function readParameter(text: string): Property['parameters'][number] {
	const equals = text.indexOf('=')
	return {
		name: equals < 0 ? 'TYPE' : text.slice(0, equals).trim().toUpperCase(),
		values: text.slice(equals + 1).toLowerCase().split(',').map((value) => value.trim()),
	}
}

function readTel({ parameters, value }: Property): VCardNumber {
	const valuesOf = (wanted: string) => parameters.filter(({ name }) => name === wanted).flatMap(({ values }) => values)
	const types = valuesOf('TYPE')
	const given = Number(valuesOf('PREF')[0])
	return {
		value: oneLine(unescape(value)),
		kind: KINDS.find(([type]) => types.includes(type))?.[1] ?? 'other',
		preference: given >= 1 && given <= 100 ? given : types.includes('pref') ? 1 : NO_PREFERENCE,
	}
}

/** Section 6.2.2: family; given; additional; prefixes; suffixes. */
function nameOf(value: string): string {
	const [family = '', given = '', additional = '', prefix = '', suffix = ''] = splitUnescaped(value)
	return oneLine([prefix, given, additional, family, suffix].map(unescape).join(' '))
}

function splitUnescaped(value: string): string[] {
	return value.match(/(?:\\.|[^\\;]|\\$)+|(?<=;|^)(?=;)/g) ?? []
}

/** Section 3.4. */
function unescape(value: string): string {
	return value.replace(/\\([\\,;:nN])/g, (_match, character: string) => character.toLowerCase() === 'n' ? '\n' : character)
}

function oneLine(value: string): string {
	return value.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}
