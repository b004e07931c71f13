// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Reads appinfo/info.xml: the part of XML that a manifest needs, refusing what is not well-formed.

/** An element; its text is that of all its text parts together. */
export interface XmlElement {
	name: string
	attributes: Readonly<Record<string, string>>
	children: XmlElement[]
	text: string
}

export interface ManifestRoute {
	url: string
	verb: string
	accessLevel: 'PUBLIC' | 'USER' | 'ADMIN'
	headersToExclude: string[]
	bruteforceProtection: number[]
}

export interface ManifestVariable {
	name: string
	displayName: string
	description: string
}

export interface Manifest {
	id: string
	name: string
	version: string
	routes: ManifestRoute[]
	variables: ManifestVariable[]
}

/** As AppAPI numbers them in its JSON form (`ExAppRouteAccessLevel`). */
const ACCESS_LEVELS = { PUBLIC: 0, USER: 1, ADMIN: 2 } as const

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' }
const NAME = '[A-Za-z_][\\w.:-]*'
const PARTS = new RegExp([
	'<!--(?:(?!--)[\\s\\S])*-->',
	'<!\\[CDATA\\[(?<data>[\\s\\S]*?)\\]\\]>',
	'<\\?[\\s\\S]*?\\?>',
	`</(?<end>${NAME})\\s*>`,
	`<(?<begin>${NAME})(?<attributes>(?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(?<empty>/?)>`,
	'(?<text>[^<]+)',
].join('|'), 'gy')

/**
 * @return the root element
 * @throws {SyntaxError} with the line, when the text is not well-formed
 */
export function parseXml(xml: string): XmlElement {
	const document: XmlElement = { name: '', attributes: {}, children: [], text: '' }
	const open = [document]
	let position = 0
	const fault = (reason: string) => new SyntaxError(`Line ${xml.slice(0, position).split('\n').length}: ${reason}`)
	while (position < xml.length) {
		PARTS.lastIndex = position
		const groups = PARTS.exec(xml)?.groups
		const current = open.at(-1)
		if (groups === undefined || current === undefined) {
			throw fault('this is no XML')
		}
		if (groups.begin !== undefined) {
			const element: XmlElement = { name: groups.begin, attributes: readAttributes(groups.attributes ?? '', fault), children: [], text: '' }
			current.children.push(element)
			if (groups.empty === '') {
				open.push(element)
			}
		} else if (groups.end !== undefined) {
			if (current.name !== groups.end) {
				throw fault(`</${groups.end}> closes <${current.name}>`)
			}
			open.pop()
		} else {
			current.text += groups.data ?? decode(groups.text ?? '', fault)
		}
		position = PARTS.lastIndex
	}
	const [root, ...others] = document.children
	if (open.length !== 1 || root === undefined || others.length > 0 || document.text.trim() !== '') {
		throw fault('a document has one root element, closed, and nothing beside it')
	}
	return root
}

function readAttributes(text: string, fault: (reason: string) => SyntaxError): Record<string, string> {
	const attributes: Record<string, string> = {}
	for (const [, name = '', quoted = ''] of text.matchAll(new RegExp(`(${NAME})\\s*=\\s*("[^"]*"|'[^']*')`, 'g'))) {
		if (name in attributes) {
			throw fault(`the attribute ${name} stands there twice`)
		}
		attributes[name] = decode(quoted.slice(1, -1), fault)
	}
	return attributes
}

function decode(text: string, fault: (reason: string) => SyntaxError): string {
	return text.replaceAll(/&([^;\s]*);?/g, (whole, name: string) => {
		const character = whole.endsWith(';') ? ENTITIES[name] : undefined
		if (character === undefined) {
			throw fault(`${whole} is no entity`)
		}
		return character
	})
}

/** The child elements of that name, along a path such as `external-app/routes/route`. */
export function elementsAt(element: XmlElement, path: string): XmlElement[] {
	return path.split('/').reduce((found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)), [element])
}

/** The text of the first element at that path, without the space around it; empty when there is none. */
export function textAt(element: XmlElement, path: string): string {
	return elementsAt(element, path)[0]?.text.trim() ?? ''
}

/**
 * @throws {SyntaxError} when the text is not well-formed, or a route's lists are not JSON
 * @throws {TypeError} for an access level that AppAPI does not know
 */
export function readManifest(xml: string): Manifest {
	const info = parseXml(xml)
	return {
		id: textAt(info, 'id'),
		name: textAt(info, 'name'),
		version: textAt(info, 'version'),
		routes: elementsAt(info, 'external-app/routes/route').map((route) => ({
			url: textAt(route, 'url'),
			verb: textAt(route, 'verb'),
			accessLevel: accessLevel(textAt(route, 'access_level')),
			headersToExclude: JSON.parse(textAt(route, 'headers_to_exclude')) as string[],
			bruteforceProtection: JSON.parse(textAt(route, 'bruteforce_protection')) as number[],
		})),
		variables: elementsAt(info, 'external-app/environment-variables/variable').map((variable) => ({
			name: textAt(variable, 'name'),
			displayName: textAt(variable, 'display-name'),
			description: textAt(variable, 'description'),
		})),
	}
}

function accessLevel(text: string): ManifestRoute['accessLevel'] {
	if (text in ACCESS_LEVELS) {
		return text as ManifestRoute['accessLevel']
	}
	throw new TypeError(`The access level ${text} is none of ${Object.keys(ACCESS_LEVELS).join(', ')}`)
}

/** What `occ app_api:app:register --json-info` takes for an app that is already running. */
export function jsonInfo({ id, name, version, routes }: Manifest, { secret, port }: { secret: string, port: number }): string {
	return JSON.stringify({
		id,
		name,
		version,
		secret,
		port,
		routes: routes.map((route) => ({
			url: route.url,
			verb: route.verb,
			access_level: ACCESS_LEVELS[route.accessLevel],
			headers_to_exclude: route.headersToExclude,
			bruteforce_protection: route.bruteforceProtection,
		})),
	})
}
