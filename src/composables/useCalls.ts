// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Notice } from '../services/failure-words.ts'
import type { Call, CallRequest } from '../services/types.ts'
import type { Round } from './usePolling.ts'

import { computed, onScopeDispose, shallowRef } from 'vue'
import { ApiFailure, getCall, hangUp, newIdempotencyKey, postCall } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'
import { roundOf } from './usePolling.ts'

/** A request to call whose answer was lost is sent again after these waits, always with the same key. */
const REPEAT_AFTER_MS = [1000, 3000]

/** The card of an ended call stays this long. */
const ENDED_STAYS_MS = 60_000

/** A call that has a card: live, or ended and not yet put away. */
export interface CardCall {
	call: Call
	/** When somebody asked to hang up, by this computer's clock. */
	hangUpAt: number | undefined
}

/** A click on “Call” that the server has not answered yet. */
export interface Placing {
	request: CallRequest
	key: string
	isInDoubt: boolean
	isCancelled: boolean
}

export interface Calls {
	cards: Readonly<Ref<readonly CardCall[]>>
	live: Readonly<Ref<Call | undefined>>
	placing: Readonly<Ref<Placing | undefined>>
	notice: Readonly<Ref<Notice | undefined>>
	/** @return whether there is a call now; if not, `notice` says why */
	place: (request: CallRequest) => Promise<boolean>
	/** Sends the click whose answer was lost once more: it is the same click, so it cannot ring twice. */
	repeat: () => Promise<boolean>
	/**
	 * Takes back a click that the server has not answered. The call is hung up as soon as its id is known, even when
	 * the answer was lost and the request has to be sent again for that: nobody but the user's own phone rings meanwhile.
	 */
	cancelPlacing: () => void
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
}

export function useCalls(options: CallsOptions): Calls {
	const cards = shallowRef<readonly CardCall[]>([])
	const placing = shallowRef<Placing>()
	const notice = shallowRef<Notice>()
	const inDoubt = shallowRef<Placing>()
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
		notice.value = undefined
		setHangUpAt(uuid, Date.now())
		options.onHangUp(uuid)
		try {
			followOwn(await hangUp(uuid))
		} catch (error) {
			setHangUpAt(uuid, undefined)
			notice.value = failureNotice(error as ApiFailure, t('The call was not hung up. You can hang up on your phone.'))
		}
	}

	async function send(click: Placing): Promise<boolean> {
		notice.value = undefined
		inDoubt.value = undefined
		placing.value = click
		cards.value = cards.value.filter(({ call }) => call.status !== 'ended')
		try {
			const call = await postPatiently(click)
			options.onAnswer()
			followOwn(call)
			if (placing.value.isCancelled) {
				void hangUpCall(call.uuid)
			}
			return true
		} catch (error) {
			const failure = error as ApiFailure
			const mayHaveStarted = failure.isInDoubt || (placing.value.isInDoubt && !knowsTheKey(failure))
			inDoubt.value = mayHaveStarted ? click : undefined
			notice.value = mayHaveStarted
				? { type: 'warning', heading: t('SIPCall could not find out whether the call was started.'), text: t('Check your phone. To try again is safe: it cannot ring twice.'), action: 'repeat_call' }
				: failureNotice(failure, t('The call was not started.'))
			return false
		} finally {
			placing.value = undefined
		}
	}

	async function postPatiently(click: Placing): Promise<Call> {
		for (const waitMs of REPEAT_AFTER_MS) {
			try {
				return await postCall(click.request, click.key)
			} catch (error) {
				// Once an answer was lost, a server that is starting or away says nothing about that first request.
				const isUnsettled = error instanceof ApiFailure && (error.isInDoubt || (placing.value?.isInDoubt === true && error.problem?.status === 503))
				if (!isUnsettled) {
					throw error
				}
			}
			placing.value = { ...click, ...placing.value, isInDoubt: true }
			await new Promise((resolve) => {
				timers.add(setTimeout(resolve, waitMs))
			})
		}
		return postCall(click.request, click.key)
	}

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
				notice.value = failureNotice(failure, t('The state of the call is unknown.'))
				return 'go_on'
			}
			return roundOf(failure)
		}
	}

	return {
		cards,
		live,
		placing,
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
			if (inDoubt.value === undefined && notice.value?.wait === undefined && placing.value === undefined) {
				notice.value = undefined
			}
		},
		noteHangUp: (uuid) => setHangUpAt(uuid, Date.now()),
		async place(request) {
			if (placing.value !== undefined) {
				return false
			}
			// The same number on the same phone and with the same caller ID while the last click is in doubt can only mean that click.
			const isSameClick = inDoubt.value !== undefined
				&& inDoubt.value.request.to === request.to && inDoubt.value.request.device === request.device && inDoubt.value.request.callerId === request.callerId
			const key = isSameClick && inDoubt.value !== undefined ? inDoubt.value.key : newIdempotencyKey()
			return send({ request, key, isInDoubt: false, isCancelled: false })
		},
		async repeat() {
			return inDoubt.value !== undefined && placing.value === undefined && send({ ...inDoubt.value, isInDoubt: true, isCancelled: false })
		},
		cancelPlacing() {
			if (placing.value !== undefined) {
				placing.value = { ...placing.value, isCancelled: true }
			}
		},
	}
}

/** Refusals that the server gives only after it has looked the key up: then the first request placed nothing. */
const AFTER_THE_KEY = new Set([400, 409, 422])

function knowsTheKey({ problem }: ApiFailure): boolean {
	return problem !== undefined && (AFTER_THE_KEY.has(problem.status) || problem.code === 'calling_not_permitted' || problem.code === 'rate_limited' || problem.code === 'limit_reached' || problem.code === 'switch_unavailable')
}
