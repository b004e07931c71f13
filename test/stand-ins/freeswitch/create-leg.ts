// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Makes a channel out of a peer of a dial string: its name, its address, who seems to call whom. */

import type { Core } from './core.ts'
import type { DialOrder } from './dial.ts'
import type { Profile } from './leg.ts'
import type { OriginateLeg } from './tokenizer.ts'

import { randomUUID } from 'node:crypto'
import { Leg } from './leg.ts'

/** The name is shown without what looks like an address (`switch_sanitize_number`). */
function shown(name: string): string {
	return (name.split('@')[0] ?? '').split(':').at(-1) ?? ''
}

function profileOf(order: DialOrder, user: string): Profile {
	const { target, originator } = order
	const name = shown(target.variables.origination_caller_id_name ?? order.callerName ?? originator?.profile.callerName ?? '')
	const number = target.variables.origination_caller_id_number ?? order.callerNumber ?? originator?.profile.callerNumber ?? '0000000000'
	return {
		callerName: name,
		callerNumber: number,
		origCallerName: originator?.profile.origCallerName ?? name,
		origCallerNumber: originator?.profile.origCallerNumber ?? number,
		calleeName: target.variables.origination_callee_id_name ?? 'Outbound Call',
		calleeNumber: target.variables.origination_callee_id_number ?? user,
		ani: originator?.profile.ani ?? number,
		destination: user,
		...(originator === undefined ? {} : { networkAddr: '127.0.0.1' }),
	}
}

/** Where the INVITE goes, and how the channel is called. */
function addressOf(target: OriginateLeg, called: boolean): { user: string, host: string, port: string, name: string, gateway?: string, presenceId?: string } {
	const [dialled = ''] = (target.number ?? '').split(';')
	const [user = '', address = ''] = dialled.split('@')
	if (target.dialString.startsWith('user/')) {
		// A registered phone: the switch looks up where it is.
		return { user, host: '127.0.0.1', port: '5091', name: `sofia/internal/${user}@127.0.0.1:5091`, presenceId: `${user}@${address || '127.0.0.1'}` }
	}
	const [host = '127.0.0.1', port = called || target.gateway !== undefined ? '5090' : '5091'] = address === '' ? [] : address.split(':')
	const place = { user, host, port }
	if (target.gateway !== undefined) {
		return { ...place, name: `sofia/external/${target.number ?? ''}`, gateway: target.gateway }
	}
	return { ...place, name: target.dialString.startsWith('sofia/') ? `sofia/external/${user}@${host}:${port}` : target.dialString }
}

/** The channel as it is before CHANNEL_CREATE. */
export function createLeg(core: Core, order: DialOrder): Leg {
	const { target, originator } = order
	const place = addressOf(target, originator !== undefined)
	const uuid = target.variables.origination_uuid ?? randomUUID()
	const leg = new Leg({
		...place,
		uuid,
		role: originator === undefined ? 'a' : 'b',
		profile: profileOf(order, place.user),
		party: order.party,
		createdAt: core.clock.now(),
		sessionId: core.sessionsSinceStart + 1,
		callUuid: originator?.callUuid ?? uuid,
	})
	if (originator !== undefined) {
		leg.other = originator.seenAs('originator', { created: 0, progress: 0, progressMedia: 0, answered: 0, bridged: 0, hangup: 0, transfer: 0 })
	}
	return leg
}

/** A channel that could not be made still has its CHANNEL_DESTROY, and nothing else. */
export function fireStillborn(core: Core, uuid: string): void {
	core.fire('CHANNEL_DESTROY', [
		['Channel-State', 'CS_NONE'],
		['Channel-Call-State', 'DOWN'],
		['Channel-State-Number', '0'],
		['Channel-Name', 'N/A'],
		['Unique-ID', uuid],
		['Call-Direction', 'outbound'],
		['Presence-Call-Direction', 'outbound'],
		['Channel-HIT-Dialplan', 'false'],
		['Channel-Call-UUID', uuid],
		['Answer-State', 'ringing'],
		['variable_direction', 'outbound'],
		['variable_is_outbound', 'true'],
		['variable_uuid', uuid],
		['variable_call_uuid', uuid],
		['variable_session_id', String(core.sessionsSinceStart + 1)],
	])
}
