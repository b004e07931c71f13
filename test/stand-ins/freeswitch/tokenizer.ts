// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * What `originate` makes of its line (`originate_function` of mod_commands, `switch_ivr_originate`): which channels it
 * would create, with which variables, and what the answered leg then executes. The stages are in separate.ts.
 */

import { findClosing, readBrackets, separate } from './separate.ts'

export { cleanUp, findClosing, readBrackets, separate } from './separate.ts'

/** The most peers that one dial string can have (`MAX_PEERS`). */
const MAX_PEERS = 128

/** One peer of a dial string, with every variable that its channel gets. */
export interface DialPeer {
	dialString: string
	variables: Record<string, string>
}

export interface DialString {
	/** The variables of the leading `{…}` blocks. */
	variables: Record<string, string>
	/** The dial string without its leading blocks. */
	rest: string
	/** The groups are tried in order (`|`), the peers of one group ring together (`,`). */
	groups: DialPeer[][]
	/** Parts between `:_:`, each a dial string of its own that is called at the same time. */
	enterprise: DialString[]
}

/** Commas inside `[…]` must not fork: the switch hides them behind these two while it cuts (`QUOTED_ESC_COMMA`, `UNQUOTED_ESC_COMMA`). */
const QUOTED_COMMA = '\u0001'
const UNQUOTED_COMMA = '\u0002'

function hideCommas(text: string): string {
	let result = ''
	let end = -1
	let quoted = false
	let own = false
	for (let index = 0; index < text.length; index++) {
		const char = text.charAt(index)
		if (end < 0 && char === '[') {
			const length = findClosing(text.slice(index), '[', ']')
			end = length < 0 ? -1 : index + length
			own = text.startsWith('^^', index + 1)
			quoted = false
		}
		if (char === '\'') {
			quoted = !quoted
		}
		const hidden = index < end && char === ',' && text.charAt(index - 1) !== '\\'
		result += hidden ? (quoted || own ? QUOTED_COMMA : UNQUOTED_COMMA) : char
		if (index === end) {
			end = -1
		}
	}
	return result
}

function readPeer(text: string, shared: Record<string, string>): DialPeer | undefined {
	let rest = text.replace(/^ +/, '')
	let own: Record<string, string> = {}
	while (rest.startsWith('[')) {
		const end = findClosing(rest, '[', ']')
		const block = readBrackets(rest.slice(0, end + 1).replaceAll(QUOTED_COMMA, ',') + rest.slice(end + 1), '[', ']', UNQUOTED_COMMA)
		if (block === undefined) {
			return undefined
		}
		own = { ...own, ...block.variables }
		rest = block.rest
	}
	// What is set in both blocks is written twice on the channel: the later one stays, unless it steers the creation of the leg.
	const steering = Object.fromEntries(Object.entries(own).filter(([name]) => name.startsWith('origination_')))
	const variables = shared.local_var_clobber === 'true' ? { ...shared, ...own } : { ...own, ...shared, ...steering }
	return { dialString: rest.replace(/^ +/, ''), variables }
}

/**
 * Reads a dial string as `switch_ivr_originate` does.
 *
 * @return undefined when the switch gives up (an unclosed block, nothing to call)
 */
export function parseDialString(text: string): DialString | undefined {
	let rest = text.replace(/^ +/, '')
	let variables: Record<string, string> = {}
	for (const [open, close] of [['<', '>'], ['{', '}']] as const) {
		while (rest.startsWith(open)) {
			// With `:_:` only the ultra-global variables belong to all parts.
			if (open === '{' && rest.includes(':_:')) {
				break
			}
			const block = readBrackets(rest, open, close, ',')
			if (block === undefined) {
				return undefined
			}
			variables = { ...variables, ...block.variables }
			rest = block.rest
		}
	}
	rest = rest.replace(/^ +/, '')
	if (rest === '') {
		return undefined
	}
	if (rest.includes(':_:')) {
		const parts = rest.split(':_:').map((part) => parseDialString(part))
		return { variables, rest, groups: [], enterprise: parts.filter((part) => part !== undefined) }
	}
	const groups: DialPeer[][] = []
	for (const group of separate(rest, '|', MAX_PEERS)) {
		const peers = separate(hideCommas(group), ',', MAX_PEERS).map((peer) => readPeer(peer, variables))
		if (peers.includes(undefined)) {
			return undefined
		}
		groups.push(peers.filter((peer) => peer !== undefined))
	}
	return { variables, rest, groups, enterprise: [] }
}

export const USAGE = '-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n'

export interface OriginateLeg {
	dialString: string
	/** `trunk` of `sofia/gateway/trunk/+49…`. */
	gateway?: string
	/** What is dialled: all that stands behind the gateway or the profile. */
	number?: string
	variables: Record<string, string>
	/** Legs of one group ring together (`,`), the groups are tried one after the other (`|`). */
	group: number
}

export interface OriginateLine {
	/** `usage`: answered with the usage text; `malformed`: `-ERR DESTINATION_OUT_OF_ORDER`. */
	fault?: 'usage' | 'malformed'
	/** The first argument, without its blocks of variables. */
	aDialString: string
	aVariables: Record<string, string>
	/** More than one when the first argument forks: then something was injected. */
	aLegs: OriginateLeg[]
	application?: string
	/** The argument of the application before `${…}` is expanded. */
	applicationArgument?: string
	/** Where the answered leg goes when there is no `&application`. */
	extension?: string
	dialplan: string
	context: string
	callerIdName?: string
	callerIdNumber?: string
	timeoutSec: number
	/** The legs in the argument of `bridge`. */
	legs: OriginateLeg[]
	/** Every `${…}` that the switch would expand, and run if it looks like a call. */
	expansions: string[]
	line: string
}

/** Gateway and number of a dial string as mod_sofia reads them (`sofia_outgoing_channel`). */
export function readEndpoint(dialString: string): { gateway?: string, number?: string } {
	const gateway = /^sofia\/gateway\/([^/]*)\/(.*)$/s.exec(dialString)
	if (gateway?.[1] !== undefined && gateway[2] !== undefined) {
		return { gateway: gateway[1], number: gateway[2] }
	}
	const direct = /^[^/]+\/(?:[^/]*\/)?(?:sip:)?([^/]*)$/s.exec(dialString)
	return direct?.[1] === undefined ? {} : { number: direct[1] }
}

function legsOf(dial: DialString): OriginateLeg[] {
	const named = (peer: DialPeer, group: number): OriginateLeg => ({ ...peer, ...readEndpoint(peer.dialString), group })
	return [
		...dial.groups.flatMap((peers, group) => peers.map((peer) => named(peer, group))),
		...dial.enterprise.flatMap((part) => legsOf(part)),
	]
}

/** Every `${…}` of a text, nested ones too. */
export function expansionsOf(text: string): string[] {
	return [...text.matchAll(/\$\{[^}]*\}?/g)].map(([found]) => found)
}

/** The legs that `bridge` would call for this argument; undefined when it cannot be read. */
export function parseBridgeArgument(argument: string): OriginateLeg[] | undefined {
	const dial = parseDialString(argument)
	return dial === undefined ? undefined : legsOf(dial)
}

function faulty(line: string, fault: 'usage' | 'malformed'): OriginateLine {
	return { fault, aDialString: '', aVariables: {}, aLegs: [], dialplan: 'XML', context: 'default', timeoutSec: 60, legs: [], expansions: [], line }
}

/**
 * Parses what stands behind `originate `. It never throws: hostile input is a result like any other.
 *
 * @param line the arguments; the line ends at the first CR, LF or NUL as it does on the switch
 */
export function parseOriginate(line: string): OriginateLine {
	const [text = ''] = line.split(/[\r\n\0]/)
	const args = separate(text, ' ', 10)
	const [call, exten, dialplan, context, name, number, timeout] = args.map((arg) => arg.toLowerCase() === 'undef' ? undefined : arg)
	if (args.length < 2 || args.length > 7 || exten === undefined) {
		return faulty(line, 'usage')
	}
	const dial = parseDialString(call ?? '')
	if (dial === undefined) {
		return faulty(line, 'malformed')
	}
	const parsed: OriginateLine = {
		aDialString: dial.rest,
		aVariables: dial.variables,
		aLegs: legsOf(dial),
		dialplan: dialplan ?? 'XML',
		context: context ?? 'default',
		timeoutSec: timeout === undefined ? 60 : Number.parseInt(timeout) || 60,
		legs: [],
		expansions: [],
		line,
		...(name === undefined ? {} : { callerIdName: name }),
		...(number === undefined ? {} : { callerIdNumber: number }),
	}
	if (!exten.startsWith('&') || exten.length < 2) {
		return { ...parsed, extension: exten }
	}
	// The argument ends at the first closing parenthesis, wherever it stands.
	const [app = ''] = exten.slice(1).split(')')
	const open = app.indexOf('(')
	if (open < 0) {
		return { ...parsed, application: app }
	}
	const argument = app.slice(open + 1)
	const application = app.slice(0, open)
	return {
		...parsed,
		application,
		applicationArgument: argument,
		legs: application === 'bridge' ? parseBridgeArgument(argument) ?? [] : [],
		expansions: expansionsOf(argument),
	}
}
