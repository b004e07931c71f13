// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { parseXml, readManifest, textAt } from '../../../scripts/manifest.ts'

describe('the manifest’s reader', () => {
	it('reads elements, attributes, entities, CDATA and remarks', () => {
		const root = parseXml('<?xml version="1.0"?>\n<!-- a remark -->\n<a b=\'1\' c="x &amp; y">&lt;text&gt;<d/><![CDATA[ <raw> & ]]></a>\n')
		expect(root).toEqual({ name: 'a', attributes: { b: '1', c: 'x & y' }, text: '<text> <raw> & ', children: [{ name: 'd', attributes: {}, text: '', children: [] }] })
		expect(textAt(root, 'none/at/all')).toBe('')
	})

	for (const [fault, xml] of [
		['an element that is not closed', '<a><b></a>'],
		['an element that ends the document open', '<a><b></b>'],
		['a closing tag too many', '<a></a></b>'],
		['two roots', '<a/><b/>'],
		['text beside the root', '<a/>text'],
		['no root', '<!-- nothing -->'],
		['a bare ampersand', '<a>x & y</a>'],
		['an unknown entity', '<a>&nbsp;</a>'],
		['an attribute twice', '<a b="1" b="2"/>'],
		['an attribute without quotes', '<a b=1/>'],
		['a tag in a tag', '<a <b/>></a>'],
		['a remark with two dashes in it', '<a><!-- -- --></a>'],
	] as const) {
		it(`refuses ${fault}`, () => {
			expect(() => parseXml(xml)).toThrow(SyntaxError)
		})
	}

	it('names the line of a fault', () => {
		expect(() => parseXml('<a>\n<b>\n</c>\n</a>')).toThrow('Line 3')
	})

	it('refuses an access level that AppAPI does not know', () => {
		expect(() => readManifest('<info><external-app><routes><route><access_level>ALL</access_level><headers_to_exclude>[]</headers_to_exclude><bruteforce_protection>[]</bruteforce_protection></route></routes></external-app></info>')).toThrow('ALL')
	})
})
