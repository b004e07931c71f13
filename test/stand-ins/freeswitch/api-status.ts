// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** API commands that only ask. */

import type { ApiCommand } from './api.ts'
import type { Core } from './core.ts'
import type { Desk } from './desk.ts'
import type { Leg } from './leg.ts'

import { randomUUID } from 'node:crypto'
import { stamp } from './billing.ts'
import { GATEWAY_TEXT, GATEWAY_XML, STATUS_TEXT } from './templates.ts'

/** `0 years, 0 days, 0 hours, 11 minutes, 6 seconds, 688 milliseconds, 941 microseconds` */
export function uptimeText(core: Core): string {
	let left = core.clock.uptime()
	const parts: [unit: string, microseconds: number][] = [
		['year', 365 * 86_400e6],
		['day', 86_400e6],
		['hour', 3_600e6],
		['minute', 60e6],
		['second', 1e6],
		['millisecond', 1e3],
		['microsecond', 1],
	]
	return parts.map(([unit, length]) => {
		const count = Math.floor(left / length)
		left -= count * length
		return `${count} ${unit}${count === 1 ? '' : 's'}`
	}).join(', ')
}

function status({ core }: Desk): string {
	return STATUS_TEXT
		.replace(/^UP .*$/m, `UP ${uptimeText(core)}`)
		.replace(/^\d+ session\(s\) since startup$/m, `${core.sessionsSinceStart} session(s) since startup`)
		.replace(/^\d+ session\(s\) - peak \d+, last 5min \d+ $/m, `${core.legs.size} session(s) - peak ${core.peak}, last 5min ${core.peak} `)
		.replace(/out of max \d+,/, `out of max ${core.sessionsPerSecond},`)
		.replace(/^\d+ session\(s\) max$/m, `${core.maxSessions} session(s) max`)
		.replace(/ is ready$/m, core.isPaused ? ' is not ready' : ' is ready')
}

/** One row of `show channels as json`. */
function channelRow(leg: Leg): Record<string, string> {
	const { profile, times } = leg
	const media = leg.hasMedia
	const codec = (value: string): string => media ? value : ''
	return {
		uuid: leg.uuid,
		direction: 'outbound',
		created: stamp(times.created),
		created_epoch: String(Math.floor(times.created / 1e6)),
		name: leg.name,
		state: leg.state,
		cid_name: profile.callerName,
		cid_num: profile.callerNumber,
		ip_addr: leg.role === 'a' ? '' : '127.0.0.1',
		dest: profile.destination,
		application: leg.application?.name ?? '',
		application_data: leg.application?.argument ?? '',
		dialplan: '',
		context: 'default',
		read_codec: codec('PCMU'),
		read_rate: codec('8000'),
		read_bit_rate: codec('64000'),
		write_codec: codec('PCMU'),
		write_rate: codec('8000'),
		write_bit_rate: codec('64000'),
		secure: '',
		hostname: 'fs.example',
		presence_id: '',
		presence_data: '',
		accountcode: leg.variables.get('accountcode') ?? '',
		callstate: leg.callState,
		callee_name: profile.calleeName,
		callee_num: profile.calleeNumber,
		callee_direction: times.bridged > 0 ? 'SEND' : '',
		call_uuid: leg.callUuid,
		sent_callee_name: leg.variables.get('last_sent_callee_id_name') ?? '',
		sent_callee_num: leg.variables.get('last_sent_callee_id_number') ?? '',
		initial_cid_name: leg.role === 'a' ? profile.origCallerName : profile.callerName,
		initial_cid_num: leg.role === 'a' ? profile.origCallerNumber : profile.callerNumber,
		initial_ip_addr: leg.role === 'a' ? '' : '127.0.0.1',
		initial_dest: profile.destination,
		initial_dialplan: '',
		initial_context: 'default',
	}
}

/** One row of `show calls as json`: both legs of a bridge, the second with `b_`. */
function callRow(a: Leg, b: Leg): Record<string, string> {
	const names = ['uuid', 'direction', 'created', 'created_epoch', 'name', 'state', 'cid_name', 'cid_num', 'ip_addr', 'dest', 'presence_id', 'presence_data', 'accountcode', 'callstate', 'callee_name', 'callee_num', 'callee_direction']
	const pick = (leg: Leg, prefix: string, more: readonly string[]): [string, string][] => {
		const row = channelRow(leg)
		return [...names, ...more].map((name) => [`${prefix}${name}`, row[name] ?? ''])
	}
	return Object.fromEntries([
		...pick(a, '', ['call_uuid', 'hostname', 'sent_callee_name', 'sent_callee_num']),
		...pick(b, 'b_', ['sent_callee_name', 'sent_callee_num']),
		['call_created_epoch', String(Math.floor(a.times.bridged / 1e6))],
	])
}

function table(rows: readonly Record<string, string>[], countOnly: boolean): string {
	if (countOnly) {
		return JSON.stringify({ row_count: rows.length, rows: [] })
	}
	return rows.length === 0 ? '{"row_count": 0}\n' : `${JSON.stringify({ row_count: rows.length, rows })}\n`
}

function show({ core }: Desk, argument: string): string {
	const args = argument.toLowerCase().split(' ')
	const legs = [...core.legs.values()].filter((leg) => leg.ending === undefined)
	const rows = args[0] === 'channels'
		? legs.map((leg) => channelRow(leg))
		: ['calls', 'bridged_calls'].includes(args[0] ?? '')
				? legs.flatMap((leg) => {
						const other = core.locate(leg.other?.uuid ?? '')
						return leg.other?.type === 'originatee' && other !== undefined ? [callRow(leg, other)] : []
					})
				: []
	if (args.includes('json')) {
		return table(rows, args.includes('count'))
	}
	const [first] = rows
	const text = first === undefined ? '' : `${[Object.keys(first), ...rows.map((row) => Object.values(row))].map((row) => row.join(',')).join('\n')}\n`
	return `${args.includes('count') ? '' : text}\n${rows.length} total.\n`
}

function sofia({ core }: Desk, argument: string): string {
	const [verb, kind, name = ''] = argument.split(' ')
	if (verb !== 'status' && verb !== 'xmlstatus') {
		return `Unknown Command [${verb ?? ''}]\n`
	}
	if (kind === undefined) {
		return verb === 'xmlstatus' ? allGateways([...core.options.gateways?.keys() ?? ['trunk']]) : 'Invalid Profile!\n'
	}
	const state = core.options.gateways === undefined ? 'UP' : core.options.gateways.get(name)
	if (kind !== 'gateway' || state === undefined || name === '') {
		return 'Invalid Gateway!\n'
	}
	const { registration = 'NOREG', pingSec = 0 } = core.options.gatewayLooks[name] ?? {}
	const uptime = core.clock.uptime()
	return verb === 'status'
		? GATEWAY_TEXT.replaceAll('trunk', name)
				.replace(/^Status .*$/m, `Status  \t${state}`)
				.replace(/^State .*$/m, `State   \t${registration}`)
				.replace(/^PingFreq\t.*$/m, `PingFreq\t${pingSec}`)
				.replace(/^Uptime .*$/m, `Uptime  \t${Math.floor(uptime / 1e6)}s`)
		: GATEWAY_XML.replaceAll('trunk', name).replace(/<status>\w+</, `<status>${state}<`).replace(/<uptime-usec>\d+/, `<uptime-usec>${uptime}`)
}

/** `sofia xmlstatus`, with nothing but what names a gateway. */
function allGateways(names: readonly string[]): string {
	const gateways = names.map((name) => `<gateway>\n<name>${name}</name>\n<type>gateway</type>\n<data>sip:lab@127.0.0.1:5090</data>\n<state>NOREG</state>\n</gateway>\n`)
	return `<?xml version="1.0" encoding="ISO-8859-1"?>\n<profiles>\n<profile>\n<name>external</name>\n<type>profile</type>\n<data>sip:mod_sofia@127.0.0.1:5080</data>\n<state>RUNNING (0)</state>\n</profile>\n${gateways.join('')}</profiles>\n`
}

const GLOBALS: Readonly<Record<string, string>> = { domain: '127.0.0.1', local_ip_v4: '127.0.0.1', hostname: 'fs.example', switchname: 'fs.example' }

export const STATUS_COMMANDS: Readonly<Record<string, ApiCommand>> = {
	status: (desk) => status(desk),
	show,
	sofia,
	hostname: () => 'fs.example',
	switchname: () => 'fs.example',
	version: (_desk, argument) => argument === 'short' ? '1.10.12-release\n' : 'FreeSWITCH Version 1.10.12-release~64bit ( 64bit)\n',
	uptime: ({ core }) => `${Math.floor(core.clock.uptime() / 1e6)}\n`,
	strepoch: ({ core }) => String(Math.floor(core.clock.now() / 1e6)),
	create_uuid: () => randomUUID(),
	global_getvar: (_desk, argument) => GLOBALS[argument.trim()] ?? '',
	fsctl: (desk, argument) => {
		switch (argument.split(' ')[0]) {
			case 'sps': return `+OK sessions per second: ${desk.core.sessionsPerSecond}\n`
			case 'max_sessions': return `+OK max sessions: ${desk.core.maxSessions}\n`
			case 'shutdown':
				setImmediate(() => desk.shutDown())
				return '+OK\n'
			default: return '+OK\n'
		}
	},
}
