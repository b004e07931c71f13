// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// RFC 3966: `tel:` number, then parameters. And the same number as a SIP address, RFC 3261 section 19.1.6.

/** Once, or twice as Nextcloud's Contacts writes it before values that are URIs already. */
const SCHEME = /^\s*(?:tel:\s*)+/i
/** A whole line of a vCard: `item1.TEL;TYPE=work;VALUE=uri:tel:+49…` (RFC 6350 section 3.3). */
const VCARD_LINE = /^\s*(?:[A-Za-z0-9-]+\.)?TEL(?:;[^:]*)?:/i
/** Whom a SIP address calls: what stands before the host, a password, headers. */
const SIP_USER = /^\s*sips?:([^@?:]*)(?::[^@]*)?(?:[@?][^@]*)?$/i

/** RFC 3966 section 3, `pname`. */
const PARAMETER_NAME = /^[a-z0-9-]+$/

/** What a URI says, in texts that are not read yet. */
export interface TelUri {
	number: string
	ext?: string
}

export type TelUriFault = 'not_a_number' | 'extension_not_supported'

/**
 * What stands in a `tel:` or `sip:` URI or in a vCard's line behind the scheme, percent-decoded; any other input as it is.
 *
 * @return undefined when it is no text
 */
export function withoutScheme(input: string): string | undefined {
	if (!isTelUri(input)) {
		return input
	}
	try {
		return decodeURIComponent(sipUser(input) ?? input.replace(VCARD_LINE, '').replace(SCHEME, '')).replace(SCHEME, '')
	} catch {
		return undefined
	}
}

export function isTelUri(input: string): boolean {
	return VCARD_LINE.test(input) || sipUser(input) !== undefined
}

function sipUser(input: string): string | undefined {
	return SIP_USER.exec(input)?.[1]
}

/** Parameters that would change what is dialled are understood or refused, never dropped. */
export function readTelUri(uri: string): TelUri | { fault: TelUriFault } {
	const decoded = withoutScheme(uri)
	// `sip:1007@example.com` is a phone of somebody else's switch: dialled from here it would be another one.
	if (decoded === undefined || (sipUser(uri) !== undefined && !decoded.startsWith('+'))) {
		return { fault: 'not_a_number' }
	}
	const [number = '', ...texts] = decoded.split(/;(?=\s*[^\s\d*#,;])/)
	const parameters = new Map<string, string>()
	for (const text of texts) {
		const [name = '', ...value] = text.split('=')
		const key = name.trim().toLowerCase()
		// Section 3: no parameter stands there twice. Of two contexts one would have to be guessed.
		// Section 5.3: a parameter `m-…` must be understood by whoever uses the number.
		if (parameters.has(key) || key.startsWith('m-') || !PARAMETER_NAME.test(key)) {
			return { fault: 'not_a_number' }
		}
		parameters.set(key, value.join('='))
	}
	// A subaddress belongs to ISDN. `postd`, of the older RFC 2806, asks for keys in a notation of its own.
	if (parameters.has('isub') || parameters.has('postd')) {
		return { fault: 'extension_not_supported' }
	}
	const [context, ext] = [parameters.get('phone-context') ?? '', parameters.get('ext')]
	const dialled = inContext(number, context)
	if (dialled === undefined) {
		return { fault: 'not_a_number' }
	}
	return { number: dialled, ...(ext === undefined ? {} : { ext }) }
}

/** Section 5.1.5: a number that is not global is one within its context. */
function inContext(number: string, context: string): string | undefined {
	if (context === '' || number.trim().startsWith('+')) {
		return number
	}
	// A domain as context names a private numbering plan, which nobody can dial from here.
	return /^\+[\d\-.()]+$/.test(context) ? `${context}${number}` : undefined
}
