// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call, CallLogEntry } from './types.ts'

import { nameOf } from './call-words.ts'
import { t } from './l10n.ts'

export interface EventWords {
	text: string
	/** The cause, where the step has one. */
	cause?: string
	isFault: boolean
}

/** One step of a call in words, for the timeline. */
export function eventWords(entry: CallLogEntry, call: Call): EventWords {
	const { cause, q850, sip } = entry.detail ?? {}
	const code = [q850 === undefined ? undefined : `Q.850 ${q850}`, sip === undefined ? undefined : `SIP ${sip}`].filter(Boolean).join(' / ')
	// The other phone's end, and the call's, only follow from the one that decided.
	const hasDecided = entry.leg !== undefined && (call.leg === undefined || call.leg === entry.leg)
	const isNormal = cause === undefined || NORMAL.has(String(cause)) || !hasDecided
	return {
		text: stepWords(entry, call),
		...(cause === undefined || isNormal ? {} : { cause: code === '' ? String(cause) : `${cause} · ${code}` }),
		isFault: !isNormal,
	}
}

/** Ends that nobody needs to look into. */
const NORMAL = new Set(['NORMAL_CLEARING', 'ORIGINATOR_CANCEL', 'SUCCESS'])

function stepWords({ type, leg }: CallLogEntry, call: Call): string {
	const isOwn = leg === 'user'
	const [name, device] = [nameOf(call), call.device.label]
	switch (type) {
		case 'queued':
			return t('Call started')
		case 'originate_failed':
			return t('The phone system did not take the call')
		case 'leg_created':
			return isOwn ? t('“{device}” is called', { device }) : t('{name} is called', { name })
		case 'leg_ringing':
			return isOwn ? t('“{device}” rings', { device }) : t('Rings at {name}', { name })
		case 'leg_answered':
			return isOwn ? t('You picked up') : t('{name} answered', { name })
		case 'leg_ended':
		case 'leg_gone':
			return isOwn ? t('“{device}” is disconnected', { device }) : t('{name} is disconnected', { name })
		case 'held':
			return t('On hold')
		case 'unheld':
			return t('Resumed')
		case 'hangup_requested':
			return t('Hang-up asked for')
		case 'transfer_asked':
			return t('Transfer asked for')
		case 'transferred':
			return t('Transferred')
		case 'transfer_refused':
			return t('The phone system did not transfer the call')
		case 'annotated':
			return t('Note or tags changed')
		case 'ended':
			return t('Call ended')
		case 'corrected':
			return t('The phone system told later how the call ended')
		default:
			// A step of a newer server: its own name says more than nothing.
			return type
	}
}
