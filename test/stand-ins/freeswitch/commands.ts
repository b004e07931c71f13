// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The commands of the Event Socket itself, with the replies that mod_event_socket gives (`parse_command`). */

import type { Command, Connection } from './connection.ts'
import type { Desk } from './desk.ts'

import { randomUUID } from 'node:crypto'
import { runApi } from './api.ts'
import { readCause } from './causes.ts'

/** Event names that a subscription may ask for; others are ignored (`switch_name_event`). */
const EVENT_NAMES = new Set((
	'ALL CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE '
	+ 'CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA '
	+ 'CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN '
	+ 'PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN PRESENCE_OUT PRESENCE_PROBE MESSAGE_WAITING '
	+ 'MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE '
	+ 'RE_SCHEDULE RELOADXML NOTIFY PHONE_FEATURE SEND_MESSAGE RECV_MESSAGE CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED '
	+ 'SERVER_DISCONNECTED SEND_INFO RECV_INFO RECV_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE '
	+ 'SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP').split(' '))

function authenticate(desk: Desk, connection: Connection, line: string): void {
	const verb = line.toLowerCase()
	if (verb.startsWith('auth ')) {
		if (line.slice(5) === desk.password) {
			connection.authenticated = true
			connection.reply('+OK accepted')
		} else {
			connection.reply('-ERR invalid')
			connection.close()
		}
	} else if (verb.startsWith('userauth ')) {
		// user@domain:password, or user:password@domain
		const [, user, password] = /^([^@:]+)@[^:]+:(.*)$/.exec(line.slice(9)) ?? []
		if (user !== undefined && desk.users[user] !== undefined && desk.users[user] === password) {
			connection.authenticated = true
			connection.reply('+OK accepted', 'Allowed-Events: all\nAllowed-API: all\nAllowed-LOG: true\n')
		} else {
			connection.reply('-ERR invalid')
			connection.close()
		}
	} else {
		connection.reply('-ERR command not found')
	}
}

function subscribe(connection: Connection, words: string[]): void {
	const [format] = words
	if (format === 'plain' || format === 'json') {
		connection.format = format
		words.shift()
	}
	let known = 0
	let custom = false
	for (const word of words) {
		const name = word.toUpperCase()
		if (custom) {
			connection.subclasses.add(word)
		} else if (EVENT_NAMES.has(name)) {
			known++
			connection.events.add(name)
			custom = name === 'CUSTOM'
		}
	}
	connection.reply(known === 0 ? '-ERR no keywords supplied' : `+OK event listener enabled ${connection.format}`)
}

function unsubscribe(connection: Connection, words: readonly string[]): void {
	const names = words.map((word) => word.toUpperCase())
	const custom = names.indexOf('CUSTOM')
	const dropped = (custom < 0 ? names : names.slice(0, custom)).filter((name) => EVENT_NAMES.has(name))
	if (dropped.length === 0 && custom < 0) {
		connection.reply('-ERR no keywords supplied')
		return
	}
	if (connection.events.has('ALL') && !dropped.includes('ALL')) {
		EVENT_NAMES.forEach((name) => connection.events.add(name))
		connection.events.delete('ALL')
	}
	if (dropped.includes('ALL')) {
		connection.events.clear()
	}
	dropped.forEach((name) => connection.events.delete(name))
	if (custom >= 0) {
		words.slice(custom + 1).forEach((subclass) => connection.subclasses.delete(subclass))
	}
	connection.reply('+OK events nixed')
}

function filter(connection: Connection, argument: string): void {
	const [first = '', ...others] = argument.trim().split(' ')
	const value = others.join(' ')
	if (first.toLowerCase() === 'delete' && value !== '') {
		const [header = '', ...rest] = others
		const wanted = rest.join(' ')
		connection.filters = header.toLowerCase() === 'all'
			? []
			: connection.filters.filter(([own, compared]) => own.toLowerCase() !== header.toLowerCase() || (wanted !== '' && compared !== wanted))
		connection.reply(`+OK filter deleted. [${header}][${wanted}]`)
	} else if (value !== '') {
		const [header = '', compared = ''] = first.toLowerCase() === 'add' ? [others[0], others.slice(1).join(' ')] : [first, value]
		connection.filters.push([header, compared])
		connection.reply(`+OK filter added. [${header}]=[${compared}]`)
	} else {
		connection.reply('-ERR invalid syntax')
	}
}

/** `sendmsg UUID` executes an application on a channel, or hangs it up. */
function sendMessage(desk: Desk, connection: Connection, uuid: string, headers: Record<string, string>): void {
	const leg = desk.core.locate(uuid)
	if (leg === undefined) {
		connection.reply(`-ERR invalid session id [${uuid}]`)
		return
	}
	connection.reply('+OK')
	if (headers['call-command'] === 'hangup') {
		desk.core.hangUp(leg, { cause: readCause(headers['hangup-cause']), by: 'switch' })
	} else if (headers['call-command'] === 'execute') {
		leg.next = { name: headers['execute-app-name'] ?? '', argument: headers['execute-app-arg'] ?? '' }
		leg.wake()
	}
}

async function runInBackground(desk: Desk, connection: Connection, argument: string, jobUuid: string): Promise<void> {
	const space = argument.indexOf(' ')
	const [command, rest] = space < 0 ? [argument, ''] : [argument.slice(0, space), argument.slice(space + 1)]
	const { core } = desk
	connection.reply(`+OK Job-UUID: ${jobUuid}`, `Job-UUID: ${jobUuid}\n`)
	const result = runApi(desk, argument, jobUuid, 'background')
	const tell = (body: string): void => core.fire('BACKGROUND_JOB', [
		['Job-UUID', jobUuid],
		['Job-Command', command],
		...(rest === '' ? [] : [['Job-Command-Arg', rest]] satisfies [string, string][]),
	], body)
	if (typeof result === 'string') {
		tell(result)
	} else {
		result.whenKnown(tell)
	}
}

/** Executes one command and answers it. */
export async function handleCommand(desk: Desk, connection: Connection, command: Command): Promise<void> {
	const lower = command.line.toLowerCase()
	// Two words anywhere in the line are enough for the switch to run a command of its own.
	const cheat = lower.includes('mod_event_socket') ? /unload|reload/.exec(lower)?.[0] : undefined
	const line = cheat === undefined ? command.line : `api bgapi ${cheat} mod_event_socket`
	const verb = line.toLowerCase()
	if (verb.startsWith('exit') || verb.startsWith('...')) {
		connection.reply('+OK bye')
		connection.close()
	} else if (!connection.authenticated) {
		authenticate(desk, connection, line)
	} else if (verb.startsWith('filter ')) {
		filter(connection, line.slice(7))
	} else if (verb.startsWith('sendmsg')) {
		sendMessage(desk, connection, line.slice(7).trim() || (command.headers['session-id'] ?? ''), command.headers)
	} else if (verb.startsWith('api ')) {
		const result = runApi(desk, line.slice(4), undefined, 'foreground')
		const body = typeof result === 'string' ? result : await new Promise<string>((resolve) => result.whenKnown(resolve))
		connection.respond(body === '' ? '-ERR no reply\n' : body)
	} else if (verb.startsWith('bgapi ')) {
		await runInBackground(desk, connection, line.slice(6), command.headers['job-uuid'] ?? randomUUID())
	} else if (verb.startsWith('log')) {
		connection.reply(`+OK log level ${line.slice(3).trim()} [${line.slice(3).trim()}]`)
	} else if (verb.startsWith('linger') || verb.startsWith('nolinger')) {
		connection.reply('-ERR not controlling a session')
	} else if (verb.startsWith('divert_events')) {
		connection.reply('-ERR not controlling a session.')
	} else if (verb.startsWith('nolog')) {
		connection.reply('+OK no longer logging')
	} else if (verb.startsWith('event')) {
		subscribe(connection, line.split(' ').slice(1).filter((word) => word !== ''))
	} else if (verb.startsWith('nixevent')) {
		unsubscribe(connection, line.split(' ').slice(1).filter((word) => word !== ''))
	} else if (verb.startsWith('noevents')) {
		connection.forgetEvents()
		connection.reply(connection.events.size > 0 ? '+OK no longer listening for events' : '-ERR not listening for events')
		connection.events.clear()
		connection.subclasses.clear()
	} else {
		connection.reply('-ERR command not found')
	}
}
