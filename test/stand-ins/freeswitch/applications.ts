// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What an answered leg executes: `bridge`, `park`, and what a command sends it to afterwards. */

import type { Core } from './core.ts'
import type { DialResult } from './dial.ts'
import type { Application, Leg } from './leg.ts'
import type { Party } from './stories.ts'
import type { OriginateLeg } from './tokenizer.ts'

import { connect, talk } from './bridge.ts'
import { readCause } from './causes.ts'
import { dial } from './dial.ts'
import { parseBridgeArgument } from './tokenizer.ts'
import { onBridgeFailed, onDialled, onExecute } from './variables.ts'

/** What a call needs to know beyond its legs. */
export interface CallContext {
	core: Core
	/** The called party of the n-th attempt. */
	partyOf: (attempt: number) => Party
	/** Told at each place where BACKGROUND_JOB may stand. */
	reached: (place: 'after-ring-wait' | 'after-b-create') => void
}

/** Applications of the stand-in; any other ends the channel as an unknown one does. */
const WAITING = new Set(['park', 'echo', 'playback', 'endless_playback', 'sleep', 'answer'])

/** Causes after which `bridge` lets A go on (`switch_channel_handle_cause`): with nothing left to execute it ends normally. */
const ALWAYS_CONTINUE = new Set(['NO_ANSWER', 'NO_USER_RESPONSE', 'ORIGINATOR_CANCEL'])

function causeForA(a: Leg, cause: string): string {
	const goesOn = a.variables.get('continue_on_fail')
	const names = (list: string): string[] => list.toUpperCase().split(',')
	const failing = a.variables.get('failure_causes')
	if (goesOn === undefined && failing === undefined) {
		return ALWAYS_CONTINUE.has(cause) ? 'NORMAL_CLEARING' : cause
	}
	if (failing !== undefined && !names(failing).includes(cause)) {
		return 'NORMAL_CLEARING'
	}
	return goesOn !== undefined && (a.isTrue('continue_on_fail') || names(goesOn).includes(cause)) ? 'NORMAL_CLEARING' : cause
}

/**
 * Whether `fail_on_single_reject` forbids the next group. `true` does so only when no channel could be created; a list does
 * for the causes in it, or with `!` at its head for all others. It is any text in which the name of the cause is found.
 */
function isFinal(a: Leg, target: OriginateLeg, { cause = '', leg }: DialResult): boolean {
	const list = target.variables.fail_on_single_reject ?? a.variables.get('fail_on_single_reject')
	if (list === undefined || list === 'true') {
		return list === 'true' && leg === undefined
	}
	return list.toUpperCase().includes(cause) !== list.startsWith('!')
}

/** The seconds that B may ring: its own `originate_timeout`, else `call_timeout` of A, else the default of the switch. */
function timeoutOf(a: Leg, target: OriginateLeg): number {
	return Number.parseInt(target.variables.originate_timeout ?? a.variables.get('call_timeout') ?? '') || 60
}

/** Tries the groups in order until one answers. Legs that failed before the last one are cleared away here. */
async function callGroups(context: CallContext, a: Leg, targets: readonly OriginateLeg[]): Promise<DialResult> {
	const { core } = context
	let result: DialResult = { cause: 'DESTINATION_OUT_OF_ORDER' }
	let attempt = 0
	let forced: string | undefined
	// Of peers that ring together only the first is called: the stand-in has no forks.
	const groups = targets.filter((target, index) => targets.findIndex((other) => other.group === target.group) === index)
	for (const target of groups) {
		if (result.leg !== undefined) {
			core.complete(result.leg)
			core.destroy(result.leg)
		}
		result = await dial(core, {
			target,
			party: context.partyOf(attempt++),
			timeoutSec: timeoutOf(a, target),
			originator: a,
			onCreated: () => context.reached('after-b-create'),
			onEarlyMedia: (leg) => {
				if (!leg.isTrue('ignore_early_media')) {
					connect(core, a, leg)
				}
			},
		})
		forced ??= result.forced
		if (result.leg !== undefined) {
			onDialled(a, result.leg, result.cause)
		}
		const continues = a.isTrue('originate_continue_on_timeout') || target.variables.originate_continue_on_timeout === 'true'
		const stops = (result.timedOut === true && !continues) || isFinal(a, target, result)
		if (result.cause === undefined || a.ending !== undefined || a.next !== undefined || stops) {
			break
		}
	}
	return result.cause === undefined || forced === undefined ? result : { ...result, forced }
}

/** Ends both legs of a bridge that did not come about. */
function endFailed(core: Core, a: Leg, b: Leg | undefined, disposition: string, cause = disposition): void {
	const aEndedFirst = a.ending !== undefined
	const finish = (leg: Leg): void => {
		if (leg === a && !aEndedFirst) {
			core.setCallState(a, 'ACTIVE')
			core.hangUp(a, { cause: causeForA(a, cause), by: 'switch' })
		}
		if (leg.ending?.by === 'party' && leg.ending.refusal === undefined) {
			leg.set('sip_hangup_disposition', 'recv_bye')
		}
		core.complete(leg)
	}
	onBridgeFailed(a, b, disposition, cause)
	if (b !== undefined && b.times.progress > 0) {
		a.profile.calleeName = b.profile.calleeName
		a.profile.calleeNumber = b.profile.calleeNumber
	}
	const order = core.options.legOrder === 'a-first' ? [a, b] : [b, a]
	const legs = order.filter((leg) => leg !== undefined)
	legs.forEach(finish)
	legs.forEach((leg) => core.destroy(leg))
}

async function bridge(context: CallContext, a: Leg, argument: string): Promise<'ended' | 'transferred'> {
	const { core } = context
	core.setCallState(a, 'RING_WAIT')
	context.reached('after-ring-wait')
	onExecute(a, 'bridge', argument)
	const { leg: b, cause, forced } = await callGroups(context, a, parseBridgeArgument(argument) ?? [])
	if (b === undefined || cause !== undefined) {
		if (a.next !== undefined && a.ending === undefined) {
			if (b !== undefined) {
				core.complete(b)
				core.destroy(b)
			}
			core.setCallState(a, 'ACTIVE')
			return 'transferred'
		}
		endFailed(core, a, b, a.ending === undefined ? cause ?? 'DESTINATION_OUT_OF_ORDER' : 'ORIGINATOR_CANCEL', forced)
		return 'ended'
	}
	// Early media may have joined them already; and the leg may have been in another bridge before.
	if (a.other?.uuid !== b.uuid) {
		connect(core, a, b)
	}
	const outcome = await talk(core, a, b)
	if (outcome === 'transferred' && b.next !== undefined) {
		void execute(context, b, b.next)
	}
	return a.ending === undefined ? outcome : 'ended'
}

/** Parks until a command sends the leg elsewhere, connects it, or ends it. */
async function park(core: Core, leg: Leg): Promise<'ended' | 'transferred'> {
	core.fireChannel(leg, 'CHANNEL_PARK')
	const timeout = /^(\d+)(?::(\w+))?$/.exec(leg.variables.get('park_timeout') ?? '')
	if (timeout !== null) {
		core.later(leg, Number(timeout[1]) * 1000, () => core.hangUp(leg, { cause: readCause(timeout[2]), by: 'switch' }))
	}
	while (leg.ending === undefined && leg.next === undefined && leg.partner === undefined) {
		await core.until(Infinity, [leg])
	}
	if (leg.partner !== undefined && leg.ending === undefined) {
		leg.stateNumber = 8
	}
	core.fireChannel(leg, 'CHANNEL_UNPARK')
	return leg.ending === undefined ? 'transferred' : 'ended'
}

/** `uuid_bridge`: both were parked; the first one drives the call from here on. */
async function join(context: CallContext, a: Leg, b: Leg): Promise<'ended' | 'transferred'> {
	b.callUuid = a.callUuid
	a.state = 'CS_SOFT_EXECUTE'
	a.stateNumber = 3
	// The other thread still has its CHANNEL_UNPARK to tell.
	await new Promise<void>((resolve) => {
		context.core.clock.after(0, resolve)
	})
	connect(context.core, a, b)
	const outcome = await talk(context.core, a, b)
	if (outcome === 'transferred' && b.next !== undefined) {
		void execute(context, b, b.next)
	}
	return a.ending === undefined ? outcome : 'ended'
}

async function runOnce(context: CallContext, leg: Leg, application: Application): Promise<'ended' | 'transferred'> {
	const { core } = context
	leg.hitDialplan = true
	leg.state = 'CS_EXECUTE'
	leg.stateNumber = 4
	leg.application = application
	if (leg.profile.calleeName === 'Outbound Call' && leg.other === undefined) {
		// After the answer the callee of the leg is the person who called: the switch swaps the names.
		leg.profile.calleeName = leg.profile.callerName
		leg.profile.callerName = 'Outbound Call'
	}
	switch (application.name) {
		case 'bridge':
			return bridge(context, leg, application.argument)
		case 'hangup':
			core.hangUp(leg, { cause: readCause(application.argument), by: 'switch' })
			break
		default:
			onExecute(leg, application.name, application.argument)
			if (!WAITING.has(application.name)) {
				core.hangUp(leg, { cause: 'DESTINATION_OUT_OF_ORDER', by: 'switch' })
			} else if (await park(core, leg) === 'transferred') {
				return 'transferred'
			}
	}
	if (leg.ending?.by === 'party') {
		leg.set('sip_hangup_disposition', 'recv_bye')
	}
	core.complete(leg)
	core.destroy(leg)
	return 'ended'
}

/** Executes one application after the other until the leg ends. */
export async function execute(context: CallContext, leg: Leg, first: Application): Promise<void> {
	let application: Application | undefined = first
	while (application !== undefined) {
		leg.next = undefined
		if (await runOnce(context, leg, application) === 'ended') {
			return
		}
		const { partner } = leg
		leg.partner = undefined
		if (partner !== undefined) {
			// Of two partners the A leg of the command drives; the other one only follows.
			if (leg.other?.type === 'originator' || await join(context, leg, partner) === 'ended') {
				return
			}
		}
		application = leg.next
	}
}
