// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the page reads of the HTTP API. The names are those of the outer contract. */

export type CallStatus = 'queued' | 'calling_user' | 'dialing' | 'ringing' | 'connected' | 'ended'

export type CallOutcome = 'completed' | 'busy' | 'no_answer' | 'rejected' | 'cancelled' | 'failed' | 'blocked'

export type FixableBy = 'user' | 'admin' | 'carrier' | 'nobody'

export interface Call {
	uuid: string
	/** Grows with every change; an older answer that comes late is told by it. */
	version: number
	/** E.164. */
	to: string
	toDisplay: string
	contactName?: string
	device: { id: string, label: string }
	callerId?: string
	direction: 'outbound' | 'inbound'
	status: CallStatus
	outcome?: CallOutcome
	endedBy?: 'user' | 'callee' | 'policy' | 'system'
	/** Which of the two legs the cause belongs to. */
	leg?: 'user' | 'destination'
	cause?: { name: string, q850: number, sip?: number }
	reason?: { code: string, message: string, fixableBy: FixableBy }
	createdAt: string
	userAnsweredAt?: string
	ringingAt?: string
	answeredAt?: string
	endedAt?: string
	talkSec?: number
	onHold: boolean
}

export interface CallPage {
	items: Call[]
	nextCursor: string | null
}

export interface Device {
	id: string
	kind: 'sip' | 'phone'
	label: string
	/** Of a `sip` device: its extension. */
	address: string
	isDefault: boolean
	verified: boolean
}

export interface NewDevice {
	id?: string
	kind: Device['kind']
	label: string
	address: string
	isDefault?: boolean
}

export interface Me {
	devices: Device[]
}

export interface CallRequest {
	/** Anything a person types, or a tel: URI. The server reads it. */
	to: string
	device?: string
}

/** RFC 9457, as every refusal of the API is sent. */
export interface Problem {
	type: string
	title: string
	status: number
	detail: string
	code: string
	requestId: string
	retryAfterSec?: number
	errors?: { field: string, message: string }[]
}
