// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the switch writes on a channel at each step of its life, in the order in which it does. */

import type { Leg } from './leg.ts'

import { dialStatus, q850 } from './causes.ts'
import { fill, VARIABLES } from './templates.ts'

/** Variables of the A leg that `bridge` copies to the legs it creates. */
const COPIED = ['ignore_early_media', 'bridge_early_media', 'fail_on_single_reject', 'originate_continue_on_timeout', 'instant_ringback', 'ringback', 'transfer_ringback']

function values(leg: Leg): Record<string, string> {
	const tag = leg.uuid.replaceAll('-', '').slice(0, 13)
	return {
		uuid: leg.uuid,
		callUuid: leg.callUuid,
		otherUuid: leg.other?.uuid ?? '',
		otherChannelName: leg.other?.channelName ?? '',
		channelName: leg.name,
		sessionId: String(leg.sessionId),
		gateway: leg.gateway ?? '',
		user: leg.profile.destination,
		host: leg.host,
		port: leg.port,
		callerName: leg.profile.callerName,
		callerNumber: leg.profile.callerNumber,
		rtpPort: String(20_000 + leg.sessionId * 2),
		ssrc: String(700_000_000 + leg.sessionId),
		startEpoch: String(Math.floor(leg.times.created / 1e6)),
		tag,
		callId: leg.uuid,
	}
}

function setGroup(leg: Leg, group: keyof typeof VARIABLES, skip: readonly string[] = []): void {
	const known = values(leg)
	for (const [name, template] of Object.entries(VARIABLES[group])) {
		if (!skip.includes(name)) {
			leg.set(name, fill(template, known))
		}
	}
}

/** Before CHANNEL_CREATE. The given variables stand between those of the core and those of the endpoint. */
export function onCreate(leg: Leg, given: Readonly<Record<string, string>>, originator?: Leg): void {
	const kind = originator === undefined ? 'a' : 'b'
	setGroup(leg, `create.${kind}`, leg.gateway === undefined ? ['sip_gateway_name'] : [])
	if (leg.gateway !== undefined && kind === 'a') {
		leg.variables.delete('sip_local_network_addr')
		const later = ['sip_profile_name', 'video_media_flow', 'text_media_flow', 'channel_name', 'sip_destination_url']
		const kept = later.map((name) => [name, leg.variables.get(name) ?? ''] as const)
		leg.setAll({ sip_gateway_name: leg.gateway, sip_local_network_addr: '127.0.0.1' })
		for (const [name, value] of kept) {
			leg.set(name, name === 'sip_profile_name' ? 'gateway' : value)
		}
	}
	for (const [name, value] of Object.entries(given)) {
		leg.set(name, value)
	}
	if (leg.presenceId !== undefined) {
		const [user = '', domain = ''] = leg.presenceId.split('@')
		leg.variables.set('sip_profile_name', 'internal')
		leg.setAll({ dialed_user: user, dialed_domain: domain, sip_invite_domain: domain, presence_id: leg.presenceId })
	}
	for (const name of COPIED) {
		const value = originator?.variables.get(name)
		if (value !== undefined && !leg.variables.has(name)) {
			leg.set(name, value)
		}
	}
	setGroup(leg, `endpoint.${kind}`)
	leg.variables.set('originate_early_media', String(!leg.isTrue('ignore_early_media')))
	if (leg.gateway !== undefined) {
		leg.variables.set('sip_outgoing_contact_uri', `<sip:gw+${leg.gateway}@127.0.0.1:5080;transport=udp;gw=${leg.gateway}>`)
	}
}

/** The first answer of the far end that makes a dialogue (180, 183, 200). */
export function onProgress(leg: Leg): void {
	const named = leg.profile.callerName !== ''
	setGroup(leg, 'progress', named ? [] : ['sip_from_display'])
	if (!named) {
		leg.variables.set('sip_full_from', (leg.variables.get('sip_full_from') ?? '').replace('"" ', ''))
	}
}

/** Early media: only the codec is agreed. */
export function onEarlyMedia(leg: Leg): void {
	setGroup(leg, 'answer', Object.keys(VARIABLES.answer).filter((name) => !['switch_r_sdp', 'ep_codec_string'].includes(name)))
	leg.set('endpoint_disposition', 'EARLY MEDIA')
}

export function onAnswer(leg: Leg): void {
	const media = leg.times.progressMedia > 0 ? ['switch_r_sdp', 'ep_codec_string'] : []
	setGroup(leg, 'answer', [...media, ...(leg.other === undefined ? ['rtp_use_codec_string'] : [])])
	if (leg.other === undefined) {
		leg.set('rtp_use_codec_string', 'PCMU,PCMA')
	}
}

/** The A leg begins to execute `bridge`. */
export function onExecute(leg: Leg, name: string, argument: string): void {
	leg.set('endpoint_disposition', 'ANSWER')
	if (leg.presenceId !== undefined && !leg.variables.has('user_context')) {
		const [user = ''] = leg.presenceId.split('@')
		leg.setAll({ user_context: 'default', effective_caller_id_name: `Extension ${user}`, effective_caller_id_number: user })
	}
	if (leg.variables.get('channel_cid_flipped') === undefined) {
		if (leg.profile.origCallerName !== '') {
			leg.set('pre_transfer_caller_id_name', leg.profile.origCallerName)
		}
		leg.setAll({ pre_transfer_caller_id_number: leg.profile.origCallerNumber, channel_cid_flipped: 'yes' })
	}
	leg.set('call_uuid', leg.uuid)
	if (argument !== '') {
		leg.set('current_application_data', argument)
	}
	leg.set('current_application', name)
}

/** What the A leg is told of a B leg that `bridge` created, whatever became of it. */
export function onDialled(a: Leg, b: Leg, cause: string | undefined): void {
	const seen = `${b.uuid};${b.profile.calleeName};${b.profile.calleeNumber}`
	if (cause === undefined) {
		a.set('originated_legs', seen)
		a.setAll({ switch_m_sdp: VARIABLES.answer.switch_r_sdp ?? '', video_media_flow: 'inactive', text_media_flow: 'inactive', audio_media_flow: 'sendrecv' })
		a.setAll({ originate_disposition: 'SUCCESS', DIALSTATUS: 'SUCCESS', originate_causes: `${b.uuid};NONE`, signal_bond: b.uuid })
		return
	}
	a.setAll({ originate_signal_bond: b.uuid, originated_legs: seen })
	const status = b.ending?.refusal
	if (status !== undefined) {
		a.setAll({ sip_invite_failure_status: String(status.status), sip_invite_failure_phrase: status.phrase, sip_hangup_phrase: status.phrase })
	}
	onPeerEnded(a, b)
}

/** The bridge failed as a whole: with the cause of its last leg, and the one that the switch kept in mind. */
export function onBridgeFailed(a: Leg, b: Leg | undefined, disposition: string, cause: string): void {
	a.setAll({ originate_disposition: disposition, DIALSTATUS: dialStatus(disposition) })
	if (b !== undefined) {
		a.set('originate_causes', `${b.uuid};${b.ending?.cause ?? disposition}`)
	}
	a.set('originate_failed_cause', cause)
}

/** `last_bridge_…`: the hang-up of the leg at the other side of the bridge. */
export function onPeerEnded(leg: Leg, peer: Leg): void {
	leg.set('last_bridge_hangup_cause', peer.ending?.cause ?? 'NORMAL_CLEARING')
	const proto = peer.variables.get('proto_specific_hangup_cause')
	if (proto !== undefined) {
		leg.set('last_bridge_proto_specific_hangup_cause', proto)
	}
}

/** After CHANNEL_BRIDGE, on each of the two. */
export function onBridged(leg: Leg, peer: Leg): void {
	if (leg.role === 'b') {
		leg.set('endpoint_disposition', 'ANSWER')
		leg.set('call_uuid', leg.callUuid)
	}
	leg.setAll({
		bridge_to: peer.uuid,
		last_bridge_to: peer.uuid,
		bridge_channel: peer.name,
		bridge_uuid: peer.uuid,
		signal_bond: peer.uuid,
		last_sent_callee_id_name: leg.role === 'a' ? leg.profile.calleeName : leg.profile.callerName,
		last_sent_callee_id_number: leg.role === 'a' ? leg.profile.calleeNumber : leg.profile.callerNumber,
	})
}

/** Before CHANNEL_HANGUP: what the far end said. */
export function onHangUp(leg: Leg): void {
	const ending = leg.ending
	if (ending?.by === 'party') {
		const status = ending.refusal?.status ?? 200
		if (ending.refusal !== undefined) {
			if (leg.times.progress === 0 && leg.times.progressMedia === 0) {
				leg.setAll({ sip_call_id: leg.uuid, sip_local_network_addr: '127.0.0.1' })
				leg.setAll(ending.refusal.nobodyThere
					? { sip_reply_port: '0', sip_network_port: '0' }
					: { sip_reply_host: leg.host, sip_reply_port: leg.port, sip_network_ip: leg.host, sip_network_port: leg.port })
			}
			leg.setAll({ sip_hangup_disposition: 'recv_refuse', sip_invite_failure_status: String(status), sip_invite_failure_phrase: ending.refusal.phrase })
		}
		leg.setAll({ sip_term_status: String(status), proto_specific_hangup_cause: `sip:${status}`, sip_term_cause: String(q850(ending.cause)) })
	}
	// The first of two connected legs to end still knows the bridge.
	if (leg.variables.has('bridge_to')) {
		leg.set('last_bridge_role', leg.role === 'a' ? 'originator' : 'originatee')
	}
}
