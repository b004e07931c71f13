// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Takes recorded bytes through the parser and the transition, as the sidecar does between socket and database.

import type { CallEvent } from '../../lib/calls/call-events.ts'
import type { Call, CallStatus } from '../../lib/calls/call.ts'
import type { SwitchNotice } from '../../lib/calls/ports.ts'
import type { SwitchEvent } from '../../lib/esl/event-parser.ts'
import type { WireEvent } from '../../lib/esl/wire-event.ts'

import { transition } from '../../lib/calls/call-state.ts'
import { parseEvent, parseJobFailure } from '../../lib/esl/event-parser.ts'
import { FrameDecoder } from '../../lib/esl/frame-decoder.ts'
import { readWireEvent } from '../../lib/esl/wire-event.ts'
import { readRecording } from '../stand-ins/freeswitch/replay.ts'

export interface Legs {
	aUuid: string
	bUuid: string | undefined
	jobUuid: string | undefined
}

const NOW = new Date('2026-11-22T12:00:00.000Z')

export function newCall({ aUuid, bUuid, jobUuid }: Legs): Call {
	return {
		uuid: '00000000-0000-4000-8000-000000000001',
		version: 1,
		userId: 'demo',
		to: '+4930123456',
		rawTo: '030 123456',
		device: { id: '00000000-0000-4000-8000-000000000002', label: 'Desk' },
		tags: [],
		direction: 'outbound',
		status: 'queued',
		createdAt: NOW,
		onHold: false,
		legs: [{ uuid: aUuid, role: 'user' }, ...(bUuid === undefined ? [] : [{ uuid: bUuid, role: 'destination' as const, gateway: 'trunk' }])],
		jobUuid: jobUuid ?? '00000000-0000-4000-8000-000000000003',
	}
}

/** The events in a stream of bytes that came in pieces of the given size. */
export function switchEventsOf(bytes: Buffer, pieceBytes = bytes.length): SwitchEvent[] {
	return wireEvents(bytes, pieceBytes).flatMap((wire) => parseEvent(wire, NOW) ?? [])
}

/** The events of a recording as the switch has worded them. */
export function wireEventsOf(name: string): WireEvent[] {
	const { server } = readRecording(name)
	return wireEvents(server, server.length)
}

function wireEvents(bytes: Buffer, pieceBytes: number): WireEvent[] {
	const decoder = new FrameDecoder()
	const events: WireEvent[] = []
	for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
		for (const frame of decoder.push(bytes.subarray(offset, offset + pieceBytes))) {
			const wire = readWireEvent(frame)
			events.push(...(wire === undefined ? [] : [wire]))
		}
	}
	return events
}

/** The events of one call, in the words of the domain. */
export function callEventsOf(events: readonly SwitchEvent[], { aUuid, bUuid, jobUuid }: Legs): CallEvent[] {
	return events.flatMap((event): CallEvent[] => {
		if (event.type === 'leg') {
			return event.report.legUuid === aUuid || event.report.legUuid === bUuid ? [event.report] : []
		}
		if (event.type === 'job' && event.jobUuid === jobUuid) {
			const failure = parseJobFailure(event.text)
			return [failure === undefined ? { type: 'originate_done', at: event.at } : { type: 'originate_failed', at: event.at, ...failure }]
		}
		return []
	})
}

/** The events of one call out of what a `CallSwitch` told. */
export function callEventsOfNotices(notices: readonly SwitchNotice[], jobUuid: string): CallEvent[] {
	return notices.flatMap((notice): CallEvent[] => {
		if (notice.type === 'leg') {
			return [notice.report]
		}
		const { at, failure } = notice
		return notice.jobUuid !== jobUuid ? [] : [failure === undefined ? { type: 'originate_done', at } : { type: 'originate_failed', at, ...failure }]
	})
}

/** Applies events one after the other. */
export function playCall(call: Call, events: readonly CallEvent[]): { call: Call, statuses: CallStatus[], ignoredAfterEnd: number } {
	const statuses: CallStatus[] = [call.status]
	let ignoredAfterEnd = 0
	let current = call
	for (const event of events) {
		const outcome = transition(current, event)
		if ('ignored' in outcome) {
			ignoredAfterEnd += outcome.ignored === 'call_has_ended' ? 1 : 0
			continue
		}
		current = outcome.call
		if (statuses.at(-1) !== current.status) {
			statuses.push(current.status)
		}
	}
	return { call: current, statuses, ignoredAfterEnd }
}

/** What a call came to, in one comparable object. */
export function verdictOfCall({ status, outcome, endedBy, leg, cause, reason }: Call): Record<string, unknown> {
	return { status, outcome, endedBy, leg, cause, reason: reason?.code, fixableBy: reason?.fixableBy }
}
