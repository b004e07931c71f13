// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The filter of an addressbook-query (RFC 6352, 10.5). Text is compared as it stands: a number with blanks is not one without. */

import type { VCardLine } from './vcard.ts'
import type { XmlElement } from './xml.ts'

import { plainValue } from './vcard.ts'
import { child } from './xml.ts'

export function passes(lines: readonly VCardLine[], filter: XmlElement | undefined): boolean {
	const filters = filter?.children.filter(({ name }) => name === 'prop-filter') ?? []
	return filters.length === 0 || combine(filter, filters.map((one) => passesProperty(lines, one)))
}

function passesProperty(lines: readonly VCardLine[], filter: XmlElement): boolean {
	const properties = lines.filter(({ name }) => name === filter.attributes.name?.toUpperCase())
	if (child(filter, 'is-not-defined') !== undefined) {
		return properties.length === 0
	}
	if (properties.length === 0) {
		return false
	}
	const results = filter.children.flatMap((test) => {
		if (test.name === 'text-match') {
			return [properties.some((property) => matchesText(plainValue(property), test))]
		}
		return test.name === 'param-filter' ? [passesParameter(properties, test)] : []
	})
	return results.length === 0 || combine(filter, results)
}

function passesParameter(properties: readonly VCardLine[], filter: XmlElement): boolean {
	const values = properties.flatMap(({ parameters }) => parameters[filter.attributes.name?.toUpperCase() ?? ''] ?? [])
	if (child(filter, 'is-not-defined') !== undefined) {
		return values.length === 0
	}
	const test = child(filter, 'text-match')
	return values.length > 0 && (test === undefined || values.some((value) => matchesText(value, test)))
}

function combine(filter: XmlElement | undefined, results: readonly boolean[]): boolean {
	return filter?.attributes.test === 'allof' ? results.every(Boolean) : results.some(Boolean)
}

function matchesText(value: string, { attributes, text }: XmlElement): boolean {
	const [left, right] = attributes.collation === 'i;octet' ? [value, text] : [value.toLowerCase(), text.toLowerCase()]
	const isMatch = {
		equals: left === right,
		'starts-with': left.startsWith(right),
		'ends-with': left.endsWith(right),
	}[attributes['match-type'] ?? ''] ?? left.includes(right)
	return isMatch !== (attributes['negate-condition'] === 'yes')
}
