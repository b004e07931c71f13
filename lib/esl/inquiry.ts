// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Questions that change nothing, and what FreeSWITCH's answers mean. An answer is never passed on as it is: what looks
// like a version or a name is taken, the rest is dropped.

import type { GatewayCondition, SwitchFault } from '../calls/switch-inquiry.ts'

import { EslError } from './esl-error.ts'
import { SUBSCRIPTION } from './event-parser.ts'
import { checked, isOfKind } from './whitelist.ts'

/** Writes one line and gives the answer's text. */
export type Ask = (line: string) => Promise<string>

/** What it is asked besides: without that it is not known how busy it is, and which version it has. */
export const ASKED_COMMANDS = ['status', 'version'] as const

/** Everything that SIPCall ever has the switch do, by the command's name. */
export const NEEDED_COMMANDS = ['originate', 'uuid_kill', 'uuid_exists', 'uuid_dump', 'uuid_hold', 'uuid_send_dtmf', 'uuid_transfer', 'sofia'] as const

/** As much as a form can offer. */
const MOST_GATEWAYS = 200

/** @return such as `1.10.12-release`; undefined when the user may not ask, or the answer is no version */
export async function askVersion(ask: Ask): Promise<string | undefined> {
	return /^\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?:[-+~.][\w.+~-]{1,40})?$/.exec((await ask('api version short')).trim())?.[0]
}

/**
 * Which of the commands are denied, or not there. Each is given without an argument: FreeSWITCH checks the right first
 * (`auth_api_command`) and then says how the command is used (`-USAGE`), so nothing rings and nothing is hung up.
 */
export async function askDenied(ask: Ask): Promise<string[]> {
	const replies = await Promise.all(NEEDED_COMMANDS.map(async (command) => ({ command, reply: await ask(`api ${command}`) })))
	return replies.filter(({ reply }) => isDenial(reply)).map(({ command }) => command)
}

/**
 * Which of the events by which calls are followed are denied, each as `event <name>`. What is allowed is subscribed by it: for
 * a connection that ends with the answer. FreeSWITCH refuses a subscription as a whole, from the first event on that is denied.
 */
export async function askDeniedEvents(ask: Ask): Promise<string[]> {
	const replies = await Promise.all(SUBSCRIPTION.map(async (name) => ({ name, reply: await ask(`event json ${name}`) })))
	return replies.filter(({ reply }) => !reply.startsWith('+OK')).map(({ name }) => `event ${name}`)
}

/** How busy a node is, as far as it tells. */
export interface SwitchStatus {
	/** false = it takes no new calls (`fsctl pause`, or on its way down). */
	isAccepting?: boolean
	/** Channels there are, and may be at once. */
	sessions?: number
	maxSessions?: number
	/** Channels that may be made in a second. */
	sessionsPerSec?: number
}

/** @return nothing that is not told */
export async function askStatus(ask: Ask): Promise<SwitchStatus> {
	return readStatus(await ask('api status'))
}

/** Reads `status` (`status_function` of mod_commands). */
export function readStatus(answer: string): SwitchStatus {
	const number = (pattern: RegExp) => {
		const [, digits] = pattern.exec(answer) ?? []
		return digits === undefined ? undefined : Number(digits)
	}
	const [sessions, maxSessions, sessionsPerSec] = [number(/^(\d{1,9}) session\(s\) - /m), number(/^(\d{1,9}) session\(s\) max/m), number(/session\(s\) per Sec out of max (\d{1,9})/)]
	const state = /^FreeSWITCH .* is (not )?ready\b/m.exec(answer)
	return {
		...(state === null ? {} : { isAccepting: state[1] === undefined }),
		...(sessions === undefined ? {} : { sessions }),
		...(maxSessions === undefined ? {} : { maxSessions }),
		...(sessionsPerSec === undefined ? {} : { sessionsPerSec }),
	}
}

/** @return undefined when the user may not ask */
export async function askGatewayNames(ask: Ask): Promise<string[] | undefined> {
	const answer = await ask('api sofia xmlstatus')
	if (!answer.includes('<profiles>')) {
		return undefined
	}
	const names = [...answer.matchAll(/<gateway>\s*<name>([^<]*)<\/name>/g)].map(([, name = '']) => name)
	return [...new Set(names.filter((name) => isOfKind('name', name)))].slice(0, MOST_GATEWAYS)
}

/**
 * @param name of a gateway
 * @throws {EslError} `unsafe_command`
 */
export async function askGateway(ask: Ask, name: string): Promise<GatewayCondition> {
	return readGateway(await ask(`api sofia status gateway ${checked('name', name)}`))
}

/**
 * Reads `sofia status gateway <name>`. An INVITE is refused exactly when Status is not UP; the registration's state says
 * why that is. Without registration and without ping Status is UP for ever.
 */
export function readGateway(answer: string): GatewayCondition {
	if (answer.startsWith('Invalid Gateway')) {
		return 'missing'
	}
	const lines = new Map(answer.split('\n').map((line) => [line.slice(0, line.indexOf('\t')).trim(), line.slice(line.indexOf('\t') + 1).trim()]))
	const [state, status] = [lines.get('State'), lines.get('Status')?.split(' ')[0]]
	if (state === undefined || status === undefined) {
		return 'not_told'
	}
	const isPinged = Number(lines.get('PingFreq') ?? 0) > 0
	if (status !== 'UP') {
		return ['FAILED', 'FAIL_WAIT', 'EXPIRED', 'UNREGISTER', 'UNREGED'].includes(state) ? 'registration_failed' : 'silent'
	}
	switch (state) {
		case 'REGED':
			return 'registered'
		case 'NOREG':
			return isPinged ? 'answers' : 'unwatched'
		default:
			return 'registering'
	}
}

/** Why a connection could not be had, as far as the socket tells. */
export function switchFaultOf(error: EslError): SwitchFault {
	switch (error.code) {
		case 'password_refused':
		case 'address_refused':
			return error.code
		// While a connection is made ready nothing else can be refused.
		case 'refused':
			return 'events_denied'
		case 'timeout':
			return 'no_answer'
		case 'unreachable':
			return unreachable(error.cause)
		default:
			return 'lost'
	}
}

function unreachable(cause: unknown): SwitchFault {
	const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
	switch (code) {
		case 'ECONNREFUSED':
			return 'port_closed'
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return 'host_unknown'
		case undefined:
			return cause === undefined ? 'no_answer' : 'no_event_socket'
		default:
			return cause instanceof EslError ? 'no_event_socket' : 'no_answer'
	}
}

function isDenial(reply: string): boolean {
	return reply.startsWith('-ERR') && /permission denied|command not found/i.test(reply)
}
