// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Two legs that talk to each other: CHANNEL_BRIDGE, what may happen meanwhile, and the order in which both end. */

import type { Core } from './core.ts'
import type { Headers } from './event.ts'
import type { Leg } from './leg.ts'

import { onBridged, onPeerEnded } from './variables.ts'

function bridgeHeaders(a: Leg, b: Leg): Headers {
	return [['Bridge-A-Unique-ID', a.uuid], ['Bridge-B-Unique-ID', b.uuid]]
}

/** Connects the two and tells it: CHANNEL_BRIDGE comes once, on A. */
export function connect(core: Core, a: Leg, b: Leg): void {
	a.profile.calleeName = b.profile.calleeName
	a.profile.calleeNumber = b.profile.calleeNumber
	if (b.times.progressMedia > 0) {
		a.times.progressMedia = b.times.progressMedia
	}
	a.other = b.seenAs('originatee', { ...b.times })
	if (a.callState !== 'ACTIVE') {
		core.setCallState(a, 'ACTIVE')
	}
	a.times.bridged = core.clock.now()
	b.times.bridged = a.times.bridged
	core.fireChannel(a, 'CHANNEL_BRIDGE', bridgeHeaders(a, b))
	onBridged(a, b)
	onBridged(b, a)
	b.state = 'CS_EXCHANGE_MEDIA'
	b.stateNumber = 5
}

/** The two are no longer connected. */
export function disconnect(core: Core, a: Leg, b: Leg): void {
	a.variables.delete('bridge_to')
	core.fireChannel(a, 'CHANNEL_UNBRIDGE', bridgeHeaders(a, b))
}

/** After the bridge B is a call of its own again. */
function detach(b: Leg): void {
	b.callUuid = b.uuid
	b.set('call_uuid', b.uuid)
}

/** B ended: its own events, then A is released with nothing left to execute. */
function endFromB(core: Core, a: Leg, b: Leg): void {
	b.variables.delete('bridge_to')
	if (b.ending?.by === 'party') {
		b.set('sip_hangup_disposition', 'recv_bye')
	}
	const bFirst = core.options.legOrder === 'b-first'
	if (bFirst) {
		core.complete(b)
	}
	if (b.ending?.by === 'party') {
		a.set('sip_hangup_phrase', 'OK')
	}
	onPeerEnded(a, b)
	a.set('bridge_hangup_cause', b.ending?.cause ?? 'NORMAL_CLEARING')
	disconnect(core, a, b)
	// Only hangup_after_bridge hands the cause of B on to A.
	const cause = a.isTrue('hangup_after_bridge') ? b.ending?.cause ?? 'NORMAL_CLEARING' : 'NORMAL_CLEARING'
	core.hangUp(a, { cause, by: 'switch' })
	core.complete(a)
	if (!bFirst) {
		core.complete(b)
	}
	core.destroy(a)
	detach(b)
	core.destroy(b)
}

/** A ended: the switch hangs B up. */
function endFromA(core: Core, a: Leg, b: Leg): void {
	if (a.ending?.by === 'party') {
		b.set('sip_hangup_phrase', 'OK')
	}
	onPeerEnded(b, a)
	b.variables.delete('bridge_to')
	core.hangUp(b, { cause: 'NORMAL_CLEARING', by: 'switch' })
	const bFirst = core.options.legOrder === 'b-first'
	if (bFirst) {
		core.complete(b)
	}
	if (a.ending?.by === 'party') {
		a.set('sip_hangup_disposition', 'recv_bye')
	}
	a.set('bridge_hangup_cause', b.ending?.cause ?? 'NORMAL_CLEARING')
	disconnect(core, a, b)
	core.complete(a)
	if (!bFirst) {
		core.complete(b)
	}
	b.set('bridge_hangup_cause', a.ending?.cause ?? 'NORMAL_CLEARING')
	detach(b)
	core.destroy(b)
	core.destroy(a)
}

/**
 * Talks until somebody ends it.
 *
 * @return `ended` when both legs are gone; otherwise the legs that were sent elsewhere go on with `next`
 */
export async function talk(core: Core, a: Leg, b: Leg): Promise<'ended' | 'transferred'> {
	const { talks } = core.options.pace
	for (const leg of [a, b]) {
		if (leg.party.endsTalk) {
			core.later(leg, talks, () => core.hangUp(leg, { cause: 'NORMAL_CLEARING', by: 'party' }))
		}
	}
	for (;;) {
		if (a.ending !== undefined) {
			endFromA(core, a, b)
			return 'ended'
		}
		if (b.ending !== undefined) {
			endFromB(core, a, b)
			return 'ended'
		}
		if (a.next !== undefined || b.next !== undefined) {
			part(core, a, b)
			return 'transferred'
		}
		await core.until(Infinity, [a, b])
	}
}

/** One of the two, or both, were sent elsewhere; who was not is hung up. */
function part(core: Core, a: Leg, b: Leg): void {
	a.variables.delete('signal_bond')
	b.variables.delete('signal_bond')
	detach(b)
	if (a.next !== undefined) {
		a.stateNumber = 2
		a.other = undefined
		disconnect(core, a, b)
	}
	if (b.next !== undefined) {
		b.other = undefined
	} else {
		core.hangUp(b, { cause: 'NORMAL_CLEARING', by: 'switch' })
		core.complete(b)
		core.destroy(b)
	}
	if (a.next === undefined) {
		disconnect(core, a, b)
		core.hangUp(a, { cause: 'NORMAL_CLEARING', by: 'switch' })
		core.complete(a)
		core.destroy(a)
	}
}
