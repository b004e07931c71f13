// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// WebDAV's answer (RFC 4918 section 13): which address has which properties. Documents with a DTD are not read at all, so
// no entity can grow or reach out; prefixes are free, so names are compared with their namespace.

export interface DavProperty {
	/** The text directly in it. */
	text: string
	/** Names of the elements directly in it, as `{namespace}name`. */
	children: string[]
}

export interface DavResource {
	/** As the server wrote it, percent-encoded. */
	href: string
	/** Of the resource as a whole, such as 507 beside a list that was cut short; undefined when its properties have theirs. */
	status: number | undefined
	/** Those that are there (status 200), by `{namespace}name`. */
	properties: Map<string, DavProperty>
}

interface XmlElement {
	name: string
	text: string
	children: XmlElement[]
}

interface OpenElement {
	element: XmlElement
	/** As it stands in the document, to be closed by. */
	tag: string
	prefixes: ReadonlyMap<string, string>
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' }
const DEEPEST = 50
const OK = 200

/**
 * @return undefined when it is not a whole multistatus: half a list must not pass for the list
 */
export function readMultistatus(text: string): DavResource[] | undefined {
	const root = readXml(text)
	if (root?.name !== '{DAV:}multistatus') {
		return undefined
	}
	return root.children.filter(({ name }) => name === '{DAV:}response').map((response) => ({
		href: childOf(response, '{DAV:}href')?.text.trim() ?? '',
		status: statusOf(response),
		properties: new Map(response.children
			.filter((child) => child.name === '{DAV:}propstat' && statusOf(child) === OK)
			.flatMap((propstat) => childOf(propstat, '{DAV:}prop')?.children ?? [])
			.map(({ name, text, children }) => [name, { text, children: children.map((child) => child.name) }])),
	}))
}

function childOf(element: XmlElement, name: string): XmlElement | undefined {
	return element.children.find((child) => child.name === name)
}

/** `HTTP/1.1 200 OK` */
function statusOf(element: XmlElement): number | undefined {
	const status = /^\s*HTTP\/\S+\s+(\d{3})/.exec(childOf(element, '{DAV:}status')?.text ?? '')?.[1]
	return status === undefined ? undefined : Number(status)
}

/** The root element; undefined when the text is not well-formed enough to be sure that nothing is missing. */
function readXml(text: string): XmlElement | undefined {
	const document: XmlElement = { name: '', text: '', children: [] }
	const open: OpenElement[] = [{ element: document, tag: '', prefixes: new Map() }]
	let position = 0
	while (position < text.length) {
		const top = open.at(-1)
		if (top === undefined || open.length > DEEPEST) {
			return undefined
		}
		const start = text.indexOf('<', position)
		top.element.text += decodeEntities(text.slice(position, start < 0 ? undefined : start))
		if (start < 0) {
			break
		}
		const section = sectionAt(text, start)
		if (section === undefined) {
			return undefined
		}
		position = section.end
		if (section.text !== undefined) {
			top.element.text += section.text
		} else if (section.tag?.startsWith('/') === true) {
			if (section.tag.slice(1).trim() !== top.tag) {
				return undefined
			}
			open.pop()
		} else if (section.tag !== undefined) {
			const opened = openElement(section.tag, top)
			top.element.children.push(opened.element)
			if (!section.tag.endsWith('/')) {
				open.push(opened)
			}
		}
	}
	return open.length === 1 && document.children.length === 1 ? document.children[0] : undefined
}

interface Section {
	/** The first character behind it. */
	end: number
	/** What stands between `<` and `>`; neither this nor text for what is passed over. */
	tag?: string
	text?: string
}

/** What begins with the `<` at this place. A document type is refused, like anything that has no end. */
function sectionAt(text: string, start: number): Section | undefined {
	const between = (opening: string, closing: string): { end: number, inner: string } | undefined => {
		const end = text.indexOf(closing, start + opening.length)
		return end < 0 ? undefined : { end: end + closing.length, inner: text.slice(start + opening.length, end) }
	}
	if (text.startsWith('<?', start)) {
		const found = between('<?', '?>')
		return found && { end: found.end }
	}
	if (text.startsWith('<!--', start)) {
		const found = between('<!--', '-->')
		return found && { end: found.end }
	}
	if (text.startsWith('<![CDATA[', start)) {
		const found = between('<![CDATA[', ']]>')
		return found && { end: found.end, text: found.inner }
	}
	if (text.startsWith('<!', start)) {
		return undefined
	}
	const end = endOfTag(text, start)
	return end < 0 ? undefined : { end: end + 1, tag: text.slice(start + 1, end) }
}

/** A `>` may stand within an attribute's value. */
function endOfTag(text: string, start: number): number {
	let quote = ''
	for (let position = start + 1; position < text.length; position++) {
		const character = text.charAt(position)
		if (quote !== '') {
			quote = character === quote ? '' : quote
		} else if (character === '"' || character === '\'') {
			quote = character
		} else if (character === '>') {
			return position
		} else if (character === '<') {
			return -1
		}
	}
	return -1
}

function openElement(section: string, parent: OpenElement): OpenElement {
	const tag = /^[^\s/]*/.exec(section)?.[0] ?? ''
	let prefixes = parent.prefixes
	if (section.includes('xmlns')) {
		const own = [...section.matchAll(/\sxmlns(?::([^\s=]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')/g)]
			.map(([, prefix = '', double, single]): [string, string] => [prefix, decodeEntities(double ?? single ?? '')])
		prefixes = new Map([...prefixes, ...own])
	}
	const colon = tag.indexOf(':')
	const namespace = prefixes.get(tag.slice(0, Math.max(colon, 0))) ?? ''
	return { element: { name: `{${namespace}}${tag.slice(colon + 1)}`, text: '', children: [] }, tag, prefixes }
}

/** The five entities that XML itself knows, and characters by number; anything else stays as it stands. */
function decodeEntities(text: string): string {
	return text.includes('&')
		? text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{2,4}));/gi, (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
				if (name !== undefined) {
					return ENTITIES[name] ?? whole
				}
				const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
				return code <= 0x10ffff ? String.fromCodePoint(code) : whole
			})
		: text
}
