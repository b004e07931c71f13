// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { Call } from '../services/types.ts'
import type { PlacedClicks } from './usePlacing.ts'
import type { Round, Turns } from './usePolling.ts'

import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import { getCall, hangUp } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { doubtNotice, usePlacing } from './usePlacing.ts'
import { roundOf } from './usePolling.ts'

/** The card of an ended call stays this long. */
const ENDED_STAYS_MS = 60_000

/** A call that has a card: live, or ended and not yet put away. */
export interface CardCall {
	call: Call
	/** When somebody asked to hang up, by this computer's clock. */
	hangUpAt: number | undefined
}

export interface Calls extends PlacedClicks {
	cards: Readonly<Ref<readonly CardCall[]>>
	live: Readonly<Ref<Call | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	hangUp: (uuid: string) => Promise<void>
	/** The number of a refusal is being mended: the refusal has been read. */
	dismiss: () => void
	/** Somebody asked for it in another tab. */
	noteHangUp: (uuid: string) => void
	/** Puts the card of an ended call away. */
	close: (uuid: string) => void
	/** Keeps the card of a call while somebody writes beside it. */
	pin: (uuid: string, isPinned: boolean) => void
	/** Takes over what this tab has just been answered about a call. */
	take: (call: Call) => void
	/** Takes over a call that the server told of; older news than the known are dropped. */
	follow: (call: Call) => void
	/** Asks for one of the live calls, by turns. */
	ask: () => Promise<Round>
}

export interface CallsOptions {
	onEnded: (call: Call) => void
	/** The server has told something new, which others may want to know. */
	onTold: (call: Call) => void
	onHangUp: (uuid: string) => void
	/** The server answers again. */
	onAnswer: () => void
	turns: Turns
}

export function useCalls(options: CallsOptions): Calls {
	const cards = shallowRef<readonly CardCall[]>([])
	const told = shallowRef<Notice>()
	const live = computed(() => cards.value.find(({ call }) => call.status !== 'ended')?.call)
	const timers = new Set<ReturnType<typeof setTimeout>>()
	/** Somebody writes beside these: their cards stay. */
	const pinned = new Set<string>()
	const expired = new Set<string>()
	let turn = 0
	onScopeDispose(() => timers.forEach(clearTimeout))

	function follow(call: Call, isOwn = false): void {
		const known = cards.value.find((card) => card.call.uuid === call.uuid)
		if (known === undefined && call.status === 'ended' && !isOwn) {
			// Another tab's news of a call whose card was put away here.
			options.onEnded(call)
			return
		}
		if (known === undefined) {
			cards.value = [{ call, hangUpAt: undefined }, ...cards.value]
			if (clicks.doubt.value !== undefined) {
				// It may be the one that is in doubt, or another tab's.
				void clicks.look()
			}
		} else if (known.call.version < call.version && (known.call.status !== 'ended' || call.status === 'ended')) {
			// A call that has ended only changes by what is written beside it.
			cards.value = cards.value.map((card) => card === known ? { ...card, call } : card)
		} else {
			return
		}
		if (call.status === 'ended') {
			if (known?.call.status !== 'ended') {
				putAwayLater(call.uuid)
			}
			options.onEnded(call)
		}
	}

	function putAwayLater(uuid: string): void {
		timers.add(setTimeout(() => pinned.has(uuid) ? expired.add(uuid) : close(uuid), ENDED_STAYS_MS))
	}

	/** As {@link follow}, for what this tab has asked for itself. */
	function followOwn(call: Call): void {
		follow(call, true)
		options.onTold(call)
	}

	function close(uuid: string): void {
		cards.value = cards.value.filter(({ call }) => call.uuid !== uuid)
	}

	function setHangUpAt(uuid: string, hangUpAt: number | undefined): void {
		cards.value = cards.value.map((card) => card.call.uuid === uuid ? { ...card, hangUpAt } : card)
	}

	async function hangUpCall(uuid: string): Promise<void> {
		told.value = undefined
		setHangUpAt(uuid, Date.now())
		options.onHangUp(uuid)
		try {
			followOwn(await hangUp(uuid))
		} catch (error) {
			setHangUpAt(uuid, undefined)
			told.value = failureNotice(error as ApiFailure, t('The call was not hung up. You can hang up on your phone.'))
		}
	}

	const clicks = usePlacing({
		told,
		onClick() {
			cards.value = cards.value.filter(({ call }) => call.status !== 'ended')
		},
		onCall: followOwn,
		onAnswer: options.onAnswer,
		hangUp: hangUpCall,
		turns: options.turns,
	})
	watch(() => clicks.doubt.value?.key, (key) => {
		// The call may have shown while its click was still being sent again.
		if (key !== undefined && live.value !== undefined) {
			void clicks.look()
		}
	})
	// What the click in doubt came to is the last to be told: it stays until it is known.
	const notice = computed(() => told.value ?? (clicks.doubt.value && doubtNotice(clicks.doubt.value)))

	async function ask(): Promise<Round> {
		const open = cards.value.filter(({ call }) => call.status !== 'ended')
		const asked = open[turn++ % Math.max(1, open.length)]?.call
		if (asked === undefined) {
			return 'go_on'
		}
		try {
			followOwn(await getCall(asked.uuid))
			return 'go_on'
		} catch (error) {
			const failure = error as ApiFailure
			if (failure.problem?.status === 404) {
				// The server does not know this one any more, which says nothing about the others.
				close(asked.uuid)
				told.value = failureNotice(failure, t('The state of the call is unknown.'))
				return 'go_on'
			}
			return roundOf(failure)
		}
	}

	return {
		...clicks,
		cards,
		live,
		notice,
		follow: (call) => follow(call),
		take(call) {
			follow(call)
			options.onTold(call)
		},
		pin(uuid, isPinned) {
			if (isPinned) {
				pinned.add(uuid)
			} else if (pinned.delete(uuid) && expired.delete(uuid)) {
				putAwayLater(uuid)
			}
		},
		close,
		ask,
		hangUp: hangUpCall,
		dismiss() {
			if (told.value?.wait === undefined && clicks.placing.value === undefined) {
				told.value = undefined
			}
		},
		noteHangUp: (uuid) => setHangUpAt(uuid, Date.now()),
	}
}
