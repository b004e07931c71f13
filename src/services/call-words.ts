// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * A call in words. Pure: the same call always reads the same. Nothing here guesses: every sentence follows from a
 * field that the server sent.
 */

import type { Call, FixableBy } from './types.ts'

import { n, t } from './l10n.ts'
import { moneyWords } from './money-words.ts'
import { hasReasonWords, reasonWords } from './reason-words.ts'

export interface CallWords {
	headline: string
	detail: string
	/** Who can change it. */
	fix?: string
}

/** The person or number at the other end, for a sentence. */
export function nameOf(call: Call): string {
	return call.erased || lacksNumber(call) ? '•••' : call.contactName ?? call.toDisplay
}

/** The same, where it stands alone. */
export function titleOf(call: Call): string {
	return call.erased ? t('Number erased') : lacksNumber(call) ? t('Number cannot be read') : nameOf(call)
}

/** Whether the call's number is still known: else it cannot be called, copied or looked for. */
export function hasNumber(call: Call): boolean {
	return !call.masked && !call.erased && !lacksNumber(call)
}

/** The server has the number, but nobody can decrypt it. */
function lacksNumber({ unreadable, to }: Call): boolean {
	return unreadable === true && to === ''
}

/** What is dialled to call again: an extension is part of it. */
export function redialText(call: Call): string {
	return call.extension === undefined ? call.to : call.toDisplay
}

/**
 * @param device label of the device that will ring, when it is known
 */
export function startingWords(device: string | undefined): CallWords {
	return {
		headline: t('Starting the call …'),
		detail: device === undefined ? t('Your phone will ring first.') : t('Your phone “{device}” will ring first.', { device }),
	}
}

/** After the server has taken the order to hang up, until it says that the call has ended. */
export function hangingUpWords(takesLong: boolean): CallWords {
	return {
		headline: t('Hanging up …'),
		detail: takesLong ? t('This takes longer than usual. SIPCall keeps trying. You can also hang up on your phone.') : '',
	}
}

/**
 * A click that the server has not answered yet.
 *
 * @param device label of the device that it asks to ring, when it is known
 */
export function placingWords({ isInDoubt, isCancelled }: { isInDoubt: boolean, isCancelled: boolean }, device: string | undefined): CallWords {
	if (isCancelled) {
		return { ...hangingUpWords(false), ...(isInDoubt ? { detail: t('Looking for the call to end it …') } : {}) }
	}
	const starting = startingWords(device)
	return isInDoubt ? { ...starting, detail: t('Checking whether the call was started …') } : starting
}

export function callWords(call: Call): CallWords {
	const name = nameOf(call)
	const device = call.device.label
	switch (call.status) {
		case 'queued':
			return startingWords(device)
		case 'calling_user':
			return {
				headline: t('Pick up your phone'),
				detail: t('“{device}” is ringing. {name} is called when you answer.', { device, name }),
			}
		case 'dialing':
			return { headline: t('Dialling {name} …', { name }), detail: t('You are connected. Stay on the line.') }
		case 'ringing':
			return {
				headline: t('Ringing at {name} …', { name }),
				detail: call.callerId === undefined
					? t('You are connected. Stay on the line.')
					: t('Calling from {callerId}', { callerId: call.callerId }),
			}
		case 'connected':
			return call.onHold
				? { headline: t('{name} is on hold', { name }), detail: t('{name} cannot hear you.', { name }) }
				: {
						headline: t('Talking to {name}', { name }),
						detail: `${call.toDisplay} · ${device}`,
					}
		case 'ended':
			return endedWords(call)
	}
}

function endedWords(call: Call): CallWords {
	// Reasons that have words here say in them who can do what.
	const fix = call.reason === undefined || hasReasonWords(call.reason.code) ? undefined : fixWords(call.reason.fixableBy)
	return { ...outcomeWords(call), ...(fix === undefined ? {} : { fix }) }
}

function outcomeWords(call: Call): CallWords {
	const name = nameOf(call)
	const notCalled = t('{name} was not called.', { name })
	switch (call.outcome) {
		case 'completed':
			return {
				headline: call.talkSec === undefined ? t('Call ended') : t('Call ended · {duration}', { duration: talkWords(call.talkSec) }),
				detail: completedDetail(call),
			}
		case 'no_answer':
			return isUserLeg(call)
				? { headline: t('You did not pick up'), detail: rangAndNotCalled(call) }
				: { headline: t('No answer'), detail: didNotPickUp(call) }
		case 'busy':
			return isUserLeg(call)
				? { headline: t('Your phone is busy'), detail: notCalled }
				: { headline: t('{name} is busy', { name }), detail: t('Try again later.') }
		case 'rejected':
			return isUserLeg(call)
				? { headline: t('Declined on your phone'), detail: notCalled }
				: { headline: t('Call declined'), detail: t('{name} declined the call.', { name }) }
		case 'cancelled':
			return {
				headline: t('Call cancelled'),
				detail: call.endedBy === 'policy' ? reasonWords(call.reason) ?? notCalled : call.userAnsweredAt === undefined ? notCalled : t('You hung up before {name} answered.', { name }),
			}
		case 'blocked':
			return { headline: t('The call was not allowed'), detail: reasonWords(call.reason) ?? notCalled }
		case 'failed':
			return { headline: t('The call failed'), detail: reasonWords(call.reason) ?? t('The phone system gave no reason.') }
		default:
			return { headline: t('Call ended'), detail: '' }
	}
}

function completedDetail(call: Call): string {
	switch (call.endedBy) {
		case 'user':
			return call.reason?.code === 'transferred' ? t('You transferred the call.') : t('You hung up.')
		case 'callee':
			return t('{name} hung up.', { name: nameOf(call) })
		case 'policy':
			return longestCall(call) ?? reasonWords(call.reason) ?? t('The longest allowed call length was reached.')
		default:
			return reasonWords(call.reason) ?? ''
	}
}

/** A call that the limit has ended lasted as long as is allowed, but for the second that the switch took to end it. */
function longestCall({ reason, talkSec = 0 }: Call): string | undefined {
	const minutes = Math.round(talkSec / 60)
	return reason?.code === 'max_duration' && minutes > 0 && Math.abs(talkSec - 60 * minutes) <= 1
		? n('The longest allowed call is %n minute.', 'The longest allowed call is %n minutes.', minutes)
		: undefined
}

function rangAndNotCalled(call: Call): string {
	const placeholders = { device: call.device.label, name: nameOf(call) }
	const seconds = secondsBetween(call.createdAt, call.endedAt)
	return seconds === undefined
		? t('{name} was not called.', placeholders)
		: n('“{device}” rang for %n second. {name} was not called.', '“{device}” rang for %n seconds. {name} was not called.', seconds, placeholders)
}

function didNotPickUp(call: Call): string {
	const name = nameOf(call)
	const seconds = secondsBetween(call.ringingAt ?? call.userAnsweredAt, call.endedAt)
	return seconds === undefined
		? t('{name} did not pick up.', { name })
		: n('{name} did not pick up within %n second.', '{name} did not pick up within %n seconds.', seconds, { name })
}

/** Who can change what went wrong; nothing where the sentence would not help. */
function fixWords(fixableBy: FixableBy): string | undefined {
	switch (fixableBy) {
		case 'admin':
			return t('Your administrator can fix this.')
		case 'carrier':
			return t('Only the phone company can fix this. Try again later.')
		default:
			return undefined
	}
}

/** One or two words for a row of the history. */
export function outcomeLabel(call: Call): string {
	switch (call.outcome) {
		case 'completed':
			return t('Answered')
		case 'no_answer':
			if (call.direction === 'inbound') {
				return t('Missed')
			}
			return isUserLeg(call) ? t('You did not pick up') : t('No answer')
		case 'busy':
			return isUserLeg(call) ? t('Your phone was busy') : t('Busy')
		case 'rejected':
			return isUserLeg(call) ? t('Declined on your phone') : t('Declined')
		case 'cancelled':
			return t('Cancelled')
		case 'failed':
			return t('Failed')
		case 'blocked':
			return t('Not allowed')
		default:
			return ''
	}
}

/** One word for the tab's title: without name, number or seconds, which others may see over the shoulder. */
export function titleWord(call: Call): string {
	switch (call.status) {
		case 'connected':
			return call.onHold ? t('On hold') : t('Talking')
		case 'ended':
			return t('Call ended')
		default:
			return t('Calling')
	}
}

/** The time stamp that the card's timer counts from, or nothing while there is nothing to count. */
export function timerStart(call: Call): string | undefined {
	switch (call.status) {
		case 'calling_user':
			return call.createdAt
		case 'dialing':
			return call.userAnsweredAt
		case 'ringing':
			return call.ringingAt
		case 'connected':
			return call.answeredAt
		default:
			return undefined
	}
}

/** `02:14`, from one hour on `1:02:14`. */
export function timerWords(seconds: number): string {
	const whole = Math.max(0, Math.floor(seconds))
	const two = (value: number) => String(value).padStart(2, '0')
	const hours = Math.floor(whole / 3600)
	const minutesAndSeconds = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
	return hours === 0 ? minutesAndSeconds : `${hours}:${minutesAndSeconds}`
}

/** `4 min 12 s`, as a person would write it. */
export function talkWords(talkSec: number): string {
	const whole = Math.max(0, Math.floor(talkSec))
	const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
	if (hours > 0) {
		return t('{hours} h {minutes} min', { hours, minutes })
	}
	return minutes > 0 ? t('{minutes} min {seconds} s', { minutes, seconds }) : t('{seconds} s', { seconds })
}

/**
 * Was the user's own phone the reason? The server says so in `leg`; a call that the user never answered cannot have
 * got further.
 */
function isUserLeg(call: Call): boolean {
	return call.leg === undefined ? call.userAnsweredAt === undefined && call.direction === 'outbound' : call.leg === 'user'
}

function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
	if (from === undefined || to === undefined) {
		return undefined
	}
	return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000))
}

/** What is asked before a call. */
export function questionWords({ before }: { before?: { call: Call, seconds: number } | undefined }, named: (call: Call) => Call): string {
	return before === undefined
		? t('Call this number?')
		: n('You called {name} %n second ago. Call again?', 'You called {name} %n seconds ago. Call again?', before.seconds, { name: nameOf(named(before.call)) })
}

/** What a call has cost; never nothing where nobody knows. */
export function costWords({ cost, costState }: Pick<Call, 'cost' | 'costState'>): string {
	return costState === 'final' && cost ? moneyWords(cost) : costState === 'pending' ? t('Cost pending') : t('Cost unknown')
}
