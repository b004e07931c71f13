// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** API commands that act on a channel. */

import type { ApiCommand } from './api.ts'
import type { Desk } from './desk.ts'
import type { Leg } from './leg.ts'

import { readCause } from './causes.ts'
import { channelHeaders } from './channel-headers.ts'
import { toJson, toPlain } from './event.ts'
import { separate } from './separate.ts'

const NO_CHANNEL = '-ERR No such channel!\n'

function words(argument: string): string[] {
	return argument.split(' ').filter((word) => word !== '')
}

function hold(desk: Desk, leg: Leg, on: boolean): void {
	const { core } = desk
	leg.held = on
	core.setCallState(leg, on ? 'HELD' : 'UNHELD')
	core.fireChannel(leg, on ? 'CHANNEL_HOLD' : 'CHANNEL_UNHOLD')
	if (!on) {
		core.setCallState(leg, 'ACTIVE')
	}
}

/** `uuid_transfer UUID 'm:^:bridge:…' inline` names applications, anything else an extension of the dialplan. */
function transferTarget(extension: string, dialplan: string | undefined): { name: string, argument: string } {
	if (dialplan?.toLowerCase() === 'inline') {
		const own = /^m:(.):(.*)$/s.exec(extension)
		const [first = ''] = own?.[1] === undefined ? [extension] : (own[2] ?? '').split(own[1])
		const colon = first.indexOf(':')
		return colon < 0 ? { name: first, argument: '' } : { name: first.slice(0, colon), argument: first.slice(colon + 1) }
	}
	return { name: extension === 'park' ? 'park' : 'answer', argument: '' }
}

function transfer(desk: Desk, argument: string): string {
	const [uuid = '', ...others] = separate(argument, ' ', 10)
	const flag = others[0]?.startsWith('-') ? others.shift() : undefined
	const [extension = '', dialplan] = others
	const leg = desk.core.locate(uuid)
	if (leg === undefined) {
		return NO_CHANNEL
	}
	const target = transferTarget(extension, dialplan)
	const peer = desk.core.locate(leg.other?.uuid ?? '')
	if (flag === '-bleg' || flag === '-both') {
		if (peer !== undefined) {
			peer.next = target
		}
	}
	if (flag !== '-bleg') {
		leg.next = target
	}
	leg.wake()
	peer?.wake()
	return '+OK\n'
}

function join(desk: Desk, argument: string): string {
	const [a, b] = words(argument).map((uuid) => desk.core.locate(uuid))
	if (a === undefined || b === undefined) {
		return '-ERR Invalid uuid\n'
	}
	a.other = b.seenAs('originatee', { ...b.times })
	b.other = a.seenAs('originator', { ...a.times })
	a.partner = b
	b.partner = a
	a.wake()
	b.wake()
	return `+OK ${b.uuid}\n`
}

function receiveDigits(desk: Desk, argument: string): string {
	const [uuid = '', digits = ''] = words(argument)
	const leg = desk.core.locate(uuid)
	if (leg === undefined) {
		return '-ERR Cannot locate session!\n'
	}
	const [keys = '', ms = '2000'] = digits.split('@')
	for (const key of keys) {
		desk.core.fireChannel(leg, 'DTMF', [['DTMF-Digit', key], ['DTMF-Duration', String(Number(ms) * 8)], ['DTMF-Source', 'APP']])
	}
	return `+OK ${uuid} received DTMF ${digits}.\n`
}

export const CALL_COMMANDS: Readonly<Record<string, ApiCommand>> = {
	uuid_exists: (desk, argument) => String(desk.core.locate(argument.trim()) !== undefined),

	uuid_kill: (desk, argument) => {
		const [uuid = '', cause] = words(argument)
		const leg = desk.core.locate(uuid)
		if (leg === undefined) {
			return NO_CHANNEL
		}
		desk.core.hangUp(leg, { cause: readCause(cause), by: 'switch' })
		return '+OK\n'
	},

	hupall: (desk, argument) => {
		const cause = argument === '' ? 'MANAGER_REQUEST' : readCause(words(argument)[0])
		for (const leg of desk.core.legs.values()) {
			desk.core.hangUp(leg, { cause, by: 'switch' })
		}
		return `+OK hangup all channels with cause ${cause}\n`
	},

	uuid_dump: (desk, argument) => {
		const [uuid = '', format] = words(argument)
		const leg = desk.core.locate(uuid)
		if (leg === undefined) {
			return NO_CHANNEL
		}
		const event = desk.core.event('CHANNEL_DATA', channelHeaders(leg, 'CHANNEL_DATA'))
		return format?.toLowerCase() === 'json' ? toJson(event) : toPlain(event)
	},

	uuid_getvar: (desk, argument) => {
		const [uuid = '', name = ''] = words(argument)
		const leg = desk.core.locate(uuid)
		return leg === undefined ? NO_CHANNEL : leg.variables.get(name) ?? '_undef_'
	},

	uuid_setvar: (desk, argument) => {
		const [uuid = '', name = '', ...value] = argument.split(' ')
		const leg = desk.core.locate(uuid)
		if (leg === undefined) {
			return NO_CHANNEL
		}
		if (value.length === 0) {
			leg.variables.delete(name)
		} else {
			leg.set(name, value.join(' '))
		}
		return '+OK\n'
	},

	uuid_hold: (desk, argument) => {
		const args = words(argument)
		const word = ['off', 'toggle'].includes(args[0] ?? '') ? args.shift() : undefined
		const leg = desk.core.locate(args[0] ?? '')
		if (args[0] === undefined) {
			return '-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n'
		}
		// A channel that is not there is no fault to the switch (`switch_ivr_hold_uuid`); one that is held already is.
		if (leg !== undefined) {
			const on = word === undefined ? true : word === 'off' ? false : !leg.held
			if (leg.held === on) {
				return '-ERR Operation failed\n'
			}
			hold(desk, leg, on)
		}
		return '+OK Success\n'
	},

	uuid_send_dtmf: (desk, argument) => {
		const [uuid = '', digits = ''] = words(argument)
		return desk.core.locate(uuid) === undefined ? '-ERR Cannot locate session!\n' : `+OK ${uuid} sent DTMF ${digits}.\n`
	},

	uuid_recv_dtmf: receiveDigits,

	uuid_broadcast: (desk, argument) => desk.core.locate(words(argument)[0] ?? '') === undefined ? NO_CHANNEL : '+OK Message sent\n',

	uuid_transfer: transfer,

	uuid_bridge: join,

	sched_hangup: (desk, argument) => {
		const [when = '', uuid = '', cause] = words(argument)
		const leg = desk.core.locate(uuid)
		if (leg === undefined) {
			return NO_CHANNEL
		}
		const seconds = when.startsWith('+') ? Number(when.slice(1)) : Number(when) - desk.core.clock.now() / 1e6
		desk.core.later(leg, seconds * 1000, () => desk.core.hangUp(leg, { cause: cause === undefined ? 'ALLOTTED_TIMEOUT' : readCause(cause), by: 'switch' }))
		return '+OK\n'
	},
}
