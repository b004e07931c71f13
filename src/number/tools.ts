// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Numbers as people write them, made readable for people. Only the shape is judged here: what may be called and what kind
 * of number it is, the server says.
 */

import type { CountryCode, PhoneNumber } from 'libphonenumber-js/core'

import { AsYouType, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/core'
import metadata from 'libphonenumber-js/min/metadata'
import { dialled, fold, telOf } from '../services/digits.ts'

export interface ReadNumber {
	e164: string
	/** As people write it internationally. */
	display: string
	/** ISO 3166 alpha-2; undefined for codes that belong to no country. */
	country: string | undefined
	/** Digits that are dialled after somebody has answered. */
	extension: string | undefined
}

/** What the script `number` puts at the page's disposal. */
export interface NumberTools {
	/**
	 * The numbers in a text: a link, a pasted line of a mail, a signature.
	 *
	 * @param country ISO 3166 alpha-2, for national forms; null = only international ones are understood
	 */
	readNumbers: (text: string, country: string | null) => ReadNumber[]
	/** What is being typed, with the spaces that people of the country put into it. */
	formatTyped: (text: string, country: string | null) => string
}

/** A number is looked for in a pasted line or signature, not in a book. */
const LONGEST_TEXT = 2000

const TEL_SCHEME = /^\s*tel:/i
/** Digits with what people put between them; a line break may be one of these. */
const SPAN = /\+?\(?\d[\d\s()./\-\u2010-\u2015\u2212]*\d/gu
/** Where one stretch of digits may be two numbers after all. */
const BETWEEN_NUMBERS = /\n+|\s+\/\s+|\s{3,}/u
const EXTENSION = /^\s*(?:;\s*ext=|[,;(]?\s*(?:ext(?:ension)?|extn|durchwahl|dw|poste|app|x)\.?:?\s*|\s*#\s*)(\d{1,7})(?!\d)/i
/** The zero for calls within the country, behind the country code. */
const TRUNK_ZERO = /^(\s*\+[\d\s]{1,6})\(\s*0\s*\)/u

export function readNumbers(text: string, country: string | null): ReadNumber[] {
	const plain = withoutScheme(telOf(fold(text.slice(0, LONGEST_TEXT))))
	const home = homeOf(country)
	const found: { number: PhoneNumber, extension: string | undefined }[] = []
	let from = 0
	for (const match of plain.matchAll(SPAN)) {
		if (match.index < from) {
			continue
		}
		const end = match.index + match[0].length
		const [whole = '', extension] = EXTENSION.exec(plain.slice(end)) ?? []
		from = end + whole.length
		const number = parse(match[0], home)
		const parts = number?.isValid() === true ? [] : match[0].split(BETWEEN_NUMBERS).flatMap((part) => parse(part, home) ?? [])
		if (parts.length > 1) {
			found.push(...parts.map((part) => ({ number: part, extension: undefined })))
		} else if (number !== undefined) {
			found.push({ number, extension })
		}
	}
	// A date or a room number may look possible; it counts only where nothing better stands beside it.
	const valid = found.filter(({ number }) => number.isValid())
	const byNumber = new Map((valid.length > 0 ? valid : found).map(({ number, extension }) => [number.number, present(number, extension)]))
	return [...byNumber.values()]
}

export function formatTyped(text: string, country: string | null): string {
	const typed = fold(text)
	if (!/^\s*\+?[\d\s./-]*$/.test(typed) || !/\d/.test(typed) || (country === null && !typed.trim().startsWith('+'))) {
		return text
	}
	const formatted = new AsYouType(homeOf(country), metadata).input(typed)
	// Formatting may add spaces, never change what will be dialled.
	return dialled(formatted) === dialled(typed) ? formatted : text
}

function homeOf(country: string | null): CountryCode | undefined {
	return country !== null && isSupportedCountry(country as CountryCode, metadata) ? country as CountryCode : undefined
}

function parse(text: string, home: CountryCode | undefined): PhoneNumber | undefined {
	const options = { extract: false, ...(home === undefined ? {} : { defaultCountry: home }) }
	const line = text.replace(/\s+/g, ' ')
	const international = home === undefined ? line.replace(/^ ?00(?=[1-9])/, '+') : line
	const withoutZero = parsePhoneNumberFromString(international.replace(TRUNK_ZERO, '$1'), options, metadata)
	const whole = parsePhoneNumberFromString(international, options, metadata)
	// In Italy the zero belongs to the number itself.
	const number = whole?.isValid() === true && whole.nationalNumber.startsWith('0') ? whole : withoutZero
	return number?.isPossible() === true ? number : undefined
}

function present(number: PhoneNumber, extension: string | undefined): ReadNumber {
	return { e164: number.number, display: number.formatInternational(), country: number.country, extension }
}

/** `tel:` and what RFC 3966 puts behind the number; some address books write the scheme twice. */
function withoutScheme(text: string): string {
	let rest = text
	let isUri = false
	while (TEL_SCHEME.test(rest)) {
		rest = rest.replace(TEL_SCHEME, '')
		isUri = true
	}
	if (isUri || /^[^\s%]*%[\da-f]{2}\S*$/i.test(rest.trim())) {
		try {
			rest = fold(decodeURIComponent(rest))
		} catch {
			// Not an escaped text after all: it is read as it stands.
		}
		return withoutParameters(rest)
	}
	return rest
}

function withoutParameters(uri: string): string {
	const [number = '', ...parameters] = uri.replace(TEL_SCHEME, '').split(';')
	const values = new Map(parameters.map((parameter) => {
		const [name = '', value = ''] = parameter.split('=')
		return [name.trim().toLowerCase(), value]
	}))
	const context = values.get('phone-context') ?? ''
	const extension = values.get('ext')
	const whole = number.trim().startsWith('+') || !/^\+\d/.test(context) ? number : `${context}${number}`
	return extension === undefined ? whole : `${whole};ext=${extension}`
}
