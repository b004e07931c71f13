// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Notice } from '../services/failure-words.ts'
import type { KeptClick } from '../services/kept-click.ts'
import type { Call, CallRequest } from '../services/types.ts'
import type { Round, Turns } from './usePolling.ts'

import { onScopeDispose, shallowRef } from 'vue'
import { ApiFailure, findByKey, newIdempotencyKey, pageEnd, postCall } from '../services/api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { clickMark, dropClick, keepClick, keptClick } from '../services/kept-click.ts'
import { t } from '../services/l10n.ts'
import { backOffMs, roundOf, SPACING_MS } from './usePolling.ts'

/** A request to call whose answer was lost is sent again after these waits, always with the same key. */
const REPEAT_AFTER_MS = [1000, 3000]

/** So long the call of a click that was taken back is looked for. */
const LOOK_MS = 30_000

/** A click on “Call” that the server has not answered yet. */
export interface Placing extends KeptClick {
	request: CallRequest
	isInDoubt: boolean
	isCancelled: boolean
}

/** A click of which nobody knows whether it became a call. */
export interface Doubt extends KeptClick {
	/** Left out when the page was loaded again since: then only the next click brings the number. */
	request?: CallRequest
	isCancelled?: boolean
	/** The server has not been asked yet what became of it. */
	isUnasked?: boolean
}

export interface PlacingOptions {
	/** What is to be told, also of other things than clicks. */
	told: Ref<Notice | undefined>
	onClick: () => void
	/** A click has become this call. */
	onCall: (call: Call) => void
	/** The server answers again. */
	onAnswer: () => void
	hangUp: (uuid: string) => Promise<void>
	turns: Turns
}

export interface PlacedClicks {
	placing: Readonly<Ref<Placing | undefined>>
	/** The last click, while nobody knows what became of it. */
	doubt: Readonly<Ref<Doubt | undefined>>
	/** @return whether there is a call now; if not, it is told why */
	place: (request: CallRequest) => Promise<boolean>
	/** Sends the click whose answer was lost once more: it is the same click, so it cannot ring twice. */
	repeat: () => Promise<boolean>
	/**
	 * Takes back a click that the server has not answered: its call is hung up as soon as its id is known. When the answer
	 * was lost nothing is sent again that could ring: the call is looked for by the key of the click.
	 */
	cancel: () => void
	/** Asks what has become of the click in doubt; sends nothing again. */
	look: () => Promise<Round>
}

/** From the click on “Call” until the server's call is known. */
export function usePlacing({ told, onClick, onCall, onAnswer, hangUp, turns }: PlacingOptions): PlacedClicks {
	const placing = shallowRef<Placing>()
	const left = keptClick()
	const doubt = shallowRef<Doubt | undefined>(left && { ...left, isUnasked: true })
	let repeating = new AbortController()
	let looking: Promise<Round> | undefined
	let isDisposed = false
	onScopeDispose(() => {
		isDisposed = true
	})

	function settle(key: string): void {
		doubt.value = undefined
		dropClick(key)
	}

	async function send(click: Placing): Promise<boolean> {
		told.value = undefined
		doubt.value = undefined
		placing.value = click
		repeating = new AbortController()
		keepClick(click)
		onClick()
		try {
			const call = await postPatiently(click, repeating.signal)
			if (call === undefined) {
				return await takeBack(click)
			}
			onAnswer()
			settle(click.key)
			onCall(call)
			if (placing.value.isCancelled && call.status !== 'ended') {
				void hangUp(call.uuid)
			}
			return true
		} catch (error) {
			const failure = error as ApiFailure
			if (failure.problem?.code === 'idempotency_key_reused' && !placing.value.isCancelled) {
				// The mark fitted another click: this one is new.
				return await send({ ...placing.value, ...newClick(click.request), isInDoubt: false })
			}
			if (failure.isInDoubt || (placing.value.isInDoubt && !knowsTheKey(failure))) {
				doubt.value = click
			} else {
				settle(click.key)
				told.value = failureNotice(failure, failure.problem?.code === 'call_erased' ? '' : t('The call was not started.'))
			}
			return false
		} finally {
			placing.value = undefined
		}
	}

	/** @return nothing when the click was taken back before it was known what became of it */
	async function postPatiently(click: Placing, signal: AbortSignal): Promise<Call | undefined> {
		for (let attempt = 0; ; attempt++) {
			try {
				return await postCall(click.request, click.key, signal)
			} catch (error) {
				// Once an answer was lost, a server that is starting or away says nothing about that first request.
				const isUnsettled = error instanceof ApiFailure && (error.isInDoubt || (placing.value?.isInDoubt === true && error.problem?.status === 503))
				if (!isUnsettled) {
					throw error
				}
				placing.value = { ...click, ...placing.value, isInDoubt: true }
				const waitMs = REPEAT_AFTER_MS[attempt]
				if (waitMs !== undefined && !placing.value.isCancelled) {
					await pause(waitMs, signal)
				}
				if (placing.value.isCancelled) {
					return undefined
				}
				// What is left undone here is looked for by the next page, by the key that it finds.
				if (waitMs === undefined || pageEnd.value !== undefined || isDisposed) {
					throw error
				}
			}
		}
	}

	async function takeBack(click: Placing): Promise<boolean> {
		const found = await findPatiently(click.key)
		if (found === 'unknown') {
			doubt.value = { ...click, isCancelled: true }
			return false
		}
		onAnswer()
		settle(click.key)
		if (found === 'none') {
			told.value = { type: 'warning', heading: t('No call was found.'), text: t('SIPCall has looked for 30 seconds and knows of no call to cancel. If your phone rings all the same, hang up there.') }
			return false
		}
		onCall(found)
		if (found.status !== 'ended') {
			void hangUp(found.uuid)
		}
		return true
	}

	/** Also in a tab that is not seen: who has taken a click back need not watch. */
	async function findPatiently(key: string): Promise<Call | 'none' | 'unknown'> {
		const until = Date.now() + LOOK_MS
		for (let faults = 0; ;) {
			let waitMs = SPACING_MS
			while (turns.freeAt() > Date.now()) {
				await pause(turns.freeAt() - Date.now())
			}
			turns.take()
			try {
				const call = await findByKey(key)
				if (call !== undefined) {
					return call
				}
				faults = 0
			} catch (error) {
				const round = roundOf(error as ApiFailure)
				faults++
				waitMs = typeof round === 'object' ? backOffMs(faults, round.retryAfterMs) : Infinity
			}
			if (Date.now() + waitMs > until) {
				return faults === 0 ? 'none' : 'unknown'
			}
			await pause(waitMs)
			if (pageEnd.value !== undefined) {
				return 'unknown'
			}
		}
	}

	async function lookOnce(): Promise<Round> {
		const asked = doubt.value
		if (asked === undefined) {
			return 'go_on'
		}
		try {
			const call = await findByKey(asked.key)
			if (call !== undefined && doubt.value === asked) {
				settle(asked.key)
				onCall(call)
			}
			return 'go_on'
		} catch (error) {
			return roundOf(error as ApiFailure)
		} finally {
			if (doubt.value === asked && asked.isUnasked) {
				doubt.value = { ...asked, isUnasked: false }
			}
		}
	}

	return {
		placing,
		doubt,
		async place(request) {
			if (placing.value !== undefined) {
				return false
			}
			// The same number on the same phone and with the same caller ID while the last click is in doubt can only mean that click.
			const known = doubt.value
			const isSame = known !== undefined && known.mark === clickMark(known.key, request)
			return send({ request, ...newClick(request), ...(isSame ? { key: known.key, at: known.at, mark: known.mark } : {}), isInDoubt: isSame, isCancelled: false })
		},
		async repeat() {
			const { request, key, at, mark } = doubt.value ?? {}
			return request !== undefined && key !== undefined && at !== undefined && mark !== undefined && placing.value === undefined
				&& send({ request, key, at, mark, isInDoubt: true, isCancelled: false })
		},
		cancel() {
			if (placing.value !== undefined) {
				placing.value = { ...placing.value, isCancelled: true }
				if (placing.value.isInDoubt) {
					repeating.abort()
				}
			}
		},
		look() {
			looking ??= lookOnce().finally(() => {
				looking = undefined
			})
			return looking
		},
	}
}

function newClick(request: CallRequest): KeptClick {
	const key = newIdempotencyKey()
	return { key, at: Date.now(), mark: clickMark(key, request) }
}

/** @param signal ends it early */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, ms)
		signal?.addEventListener('abort', () => {
			clearTimeout(timer)
			resolve()
		})
	})
}

/** What is told of a click in doubt, and what can be done. */
export function doubtNotice({ request, isCancelled, isUnasked }: Doubt): Notice | undefined {
	if (isUnasked) {
		return undefined
	}
	const notice = { type: 'warning', heading: t('SIPCall could not find out whether the call was started.') } as const
	if (isCancelled) {
		return { ...notice, text: t('It could not be cancelled. If your phone rings, hang up there.'), action: 'show_newest' }
	}
	return request === undefined
		? { ...notice, text: t('Check your phone and the newest calls.'), action: 'show_newest' }
		: { ...notice, text: t('Check your phone. To try again is safe: it cannot ring twice.'), action: 'repeat_call' }
}

/** Refusals that the server gives only after it has looked the key up: then the first request placed nothing that is still there. */
const AFTER_THE_KEY = new Set([400, 409, 410, 422])

function knowsTheKey({ problem }: ApiFailure): boolean {
	return problem !== undefined && (AFTER_THE_KEY.has(problem.status) || problem.code === 'calling_not_permitted' || problem.code === 'limit_reached' || problem.code === 'switch_unavailable' || problem.code === 'trunk_unavailable'
		// Of calls; that of all requests comes before.
		|| (problem.code === 'rate_limited' && problem.refusal !== undefined))
}
