// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Just as much of vCard as Nextcloud shows on its way out: unfolding, picking properties, 4.0 handed out as 3.0. */

/** One unfolded line. */
export interface VCardLine {
	/** Upper case, without the group. */
	name: string
	/** The line as it stands, group and parameters included. */
	text: string
	parameters: Record<string, string>
	value: string
}

const PRODID = 'PRODID:-//Sabre//Sabre VObject 4.5.6//EN'
const LINE_OCTETS = 75

export function readVCard(text: string): VCardLine[] {
	const lines = text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/).filter((line) => line !== '')
	return lines.map((line) => {
		const colon = /^(?:[^":]|"[^"]*")*/.exec(line)?.[0].length ?? line.length
		const [head = '', ...parameters] = line.slice(0, colon).split(/;(?=(?:[^"]*"[^"]*")*[^"]*$)/)
		return {
			name: head.replace(/^.*\./, '').toUpperCase(),
			text: line,
			parameters: Object.fromEntries(parameters.map((parameter) => {
				const [name = '', value = ''] = parameter.split(/=(.*)/s)
				return [name.toUpperCase(), value]
			})),
			value: line.slice(colon + 1),
		}
	})
}

/**
 * @param text as stored
 * @param only names of the properties that are wanted; undefined for all
 * @param version in which it is asked for
 */
export function handOut(text: string, only: readonly string[] | undefined, version: '3.0' | '4.0' = '3.0'): string {
	const lines = readVCard(text)
	const isConverted = lines.find(({ name }) => name === 'VERSION')?.value !== version
	// What every card must have is handed out whether it was asked for or not.
	const wanted = only === undefined ? undefined : ['UID', 'FN', ...only]
	const properties = lines.filter(({ name }) => !['BEGIN', 'END', 'VERSION', ...(isConverted ? ['PRODID'] : [])].includes(name) && (wanted?.includes(name) ?? true))
	return [
		'BEGIN:VCARD',
		`VERSION:${version}`,
		...(isConverted ? [PRODID] : []),
		...properties.map((line) => isConverted ? converted(line) : line.text),
		'END:VCARD',
	].map(fold).join('')
}

/** Parameters are written anew: VALUE goes to the end, in capitals. */
function converted({ text, parameters, value }: VCardLine): string {
	const { VALUE: type, ...others } = parameters
	const head = /^[^;:]*/.exec(text)?.[0] ?? ''
	return [head, ...Object.entries(others).map(([name, content]) => `${name}=${content}`), ...(type === undefined ? [] : [`VALUE=${type.toUpperCase()}`])].join(';') + `:${value}`
}

/** After 75 octets, never within a character. */
function fold(line: string): string {
	const parts: string[] = []
	let part = ''
	for (const character of line) {
		const room = parts.length === 0 ? LINE_OCTETS : LINE_OCTETS - 1
		if (Buffer.byteLength(part + character) > room) {
			parts.push(part)
			part = ''
		}
		part += character
	}
	return `${[...parts, part].join('\r\n ')}\r\n`
}

/** A value as the filters see it. */
export function plainValue({ value }: VCardLine): string {
	return value.replace(/\\([,;\\])/g, '$1').replace(/\\n/gi, '\n')
}
