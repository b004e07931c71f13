// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** One `originate`, from its line to the end of the call, and the place of its result among the events. */

import type { CallContext } from './applications.ts'
import type { Core } from './core.ts'
import type { Story } from './stories.ts'
import type { OriginateLine } from './tokenizer.ts'

import { execute } from './applications.ts'
import { dial } from './dial.ts'
import { executeInline, readInline } from './inline.ts'
import { USAGE } from './tokenizer.ts'

/**
 * Starts the call and returns at once.
 *
 * @param core the switch
 * @param line what was asked for
 * @param stories the story of each attempt to reach the destination; the last one stays
 * @param report takes the result of the command, once: it says only whether A answered
 * @param atOnce the result is needed as soon as it is known (`api originate`)
 */
export function originate(core: Core, line: OriginateLine, stories: readonly Story[], report: (result: string) => void, atOnce = false): void {
	let result: string | undefined
	let told = false
	const tell = (): void => {
		if (!told && result !== undefined) {
			told = true
			report(result)
		}
	}
	const place = atOnce ? 'after-answer' : core.options.jobPlace
	const reached = (here: typeof place): void => {
		if (here === place) {
			tell()
		}
	}
	void run(core, line, stories, {
		reached,
		known: (text) => {
			result = text
		},
	}).finally(tell)
}

interface Progress {
	reached: (place: Core['options']['jobPlace']) => void
	known: (result: string) => void
}

async function run(core: Core, line: OriginateLine, stories: readonly Story[], { known, reached }: Progress): Promise<void> {
	if (line.fault !== undefined) {
		known(line.fault === 'usage' ? USAGE : '-ERR DESTINATION_OUT_OF_ORDER\n')
		return
	}
	const [target] = line.aLegs
	const [story] = stories
	if (target === undefined || story === undefined) {
		known('-ERR DESTINATION_OUT_OF_ORDER\n')
		return
	}
	const { leg, cause } = await dial(core, {
		target,
		party: story.a,
		timeoutSec: Number.parseInt(target.variables.originate_timeout ?? '') || line.timeoutSec,
		...(line.callerIdName === undefined ? {} : { callerName: line.callerIdName }),
		...(line.callerIdNumber === undefined ? {} : { callerNumber: line.callerIdNumber }),
		onAnswering: () => {
			known(`+OK ${target.variables.origination_uuid ?? ''}\n`)
			reached('before-answer-events')
		},
	})
	if (leg === undefined || cause !== undefined) {
		known(`-ERR ${cause ?? 'DESTINATION_OUT_OF_ORDER'}\n`)
		if (leg !== undefined) {
			core.complete(leg)
			if (core.options.jobPlace !== 'last') {
				reached(core.options.jobPlace)
			}
			core.destroy(leg)
		}
		return
	}
	known(`+OK ${leg.uuid}\n`)
	reached('after-answer')
	const context: CallContext = {
		core,
		partyOf: (attempt) => (stories[Math.min(attempt, stories.length - 1)] ?? story).b,
		reached,
	}
	if (line.extension !== undefined && line.dialplan.toLowerCase() === 'inline') {
		await executeInline(context, leg, readInline(line.extension))
		return
	}
	await execute(context, leg, line.application === undefined
		? { name: 'park', argument: '' }
		: { name: line.application, argument: line.applicationArgument ?? '' })
}
