// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './types.ts'

import { iconHangUp, iconPhone, iconPhoneOutgoing, iconPhonePaused, iconPhoneRinging, iconPhoneTalking } from './icons.ts'

export interface CardLook {
	icon: string
	/** Colours only what stands beside a word that says the same. */
	tone: 'primary' | 'success' | 'error' | 'quiet'
	isRinging: boolean
}

/** How a card looks; a click that has no call yet looks like one that waits. */
export function cardLook(call: Call | undefined, isHangingUp: boolean): CardLook {
	if (isHangingUp) {
		return { icon: iconHangUp, tone: 'quiet', isRinging: false }
	}
	switch (call?.status) {
		case 'calling_user':
		case 'ringing':
			return { icon: iconPhoneRinging, tone: 'primary', isRinging: true }
		case 'dialing':
			return { icon: iconPhoneOutgoing, tone: 'primary', isRinging: false }
		case 'connected':
			return { icon: call.onHold ? iconPhonePaused : iconPhoneTalking, tone: 'success', isRinging: false }
		case 'ended':
			return { icon: iconHangUp, tone: call.outcome === 'failed' || call.outcome === 'blocked' ? 'error' : 'quiet', isRinging: false }
		default:
			return { icon: iconPhone, tone: 'primary', isRinging: false }
	}
}
