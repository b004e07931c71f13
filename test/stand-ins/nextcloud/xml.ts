// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The XML of WebDAV, read and written: elements with their namespaces, nothing more. */

import { escapeXml } from './ocs-answer.ts'

export interface XmlElement {
	namespace: string
	name: string
	attributes: Record<string, string>
	children: XmlElement[]
	text: string
}

/**
 * @throws when it is not well formed
 */
export function readXml(text: string): XmlElement {
	const root: XmlElement = { namespace: '', name: '', attributes: {}, children: [], text: '' }
	const stack = [{ element: root, prefixes: new Map<string, string>() }]
	for (const [token] of text.replace(/<\?.*?\?>|<!--.*?-->/gs, '').matchAll(/<[^>]*>|[^<]+/g)) {
		const top = stack.at(-1) ?? { element: root, prefixes: new Map<string, string>() }
		if (!token.startsWith('<')) {
			top.element.text += unescapeXml(token)
		} else if (token.startsWith('</')) {
			stack.pop()
		} else {
			const [, tag = ''] = /^<([^\s/>]+)/.exec(token) ?? []
			const attributes = Object.fromEntries([...token.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name = '', double, single]) => [name, unescapeXml(double ?? single ?? '')]))
			const prefixes = new Map(top.prefixes)
			for (const [name, value] of Object.entries(attributes)) {
				if (name === 'xmlns' || name.startsWith('xmlns:')) {
					prefixes.set(name.slice(6), value)
				}
			}
			const [prefix = '', local] = tag.includes(':') ? tag.split(':') : ['', tag]
			const element: XmlElement = { namespace: prefixes.get(prefix) ?? '', name: local ?? '', attributes, children: [], text: '' }
			top.element.children.push(element)
			if (!token.endsWith('/>')) {
				stack.push({ element, prefixes })
			}
		}
	}
	const [first] = root.children
	if (first === undefined || stack.length !== 1) {
		throw new Error('not well formed')
	}
	return first
}

export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
	return element?.children.find((candidate) => candidate.name === name)
}

/** A name with its prefix and attributes, such as `d:prop`, and what is in it: text, or more of these. */
export type XmlNode = readonly [tag: string, content?: string | readonly XmlNode[]]

export function writeXml(node: XmlNode, depth = Number.NaN): string {
	const [tag, content = []] = node
	const isPretty = !Number.isNaN(depth)
	const [indent, end] = isPretty ? [' '.repeat(depth), '\n'] : ['', '']
	const name = tag.split(' ', 1)[0]
	if (content.length === 0) {
		return `${indent}<${tag}/>${end}`
	}
	if (typeof content === 'string') {
		// Sabre writes a carriage return as its number.
		return `${indent}<${tag}>${escapeXml(content).replaceAll('\r', '&#13;')}</${name}>${end}`
	}
	return `${indent}<${tag}>${end}${content.map((inner) => writeXml(inner, depth + 1)).join('')}${indent}</${name}>${end}`
}

function unescapeXml(text: string): string {
	return text
		.replace(/&#x([0-9a-f]+);/gi, (_match, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
		.replace(/&#(\d+);/g, (_match, number: string) => String.fromCodePoint(Number(number)))
		.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', '\'').replaceAll('&amp;', '&')
}
