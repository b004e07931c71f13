// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** An answered leg that executes a list of applications: `originate … m:^:sleep:1000^playback:… inline`. */

import type { CallContext } from './applications.ts'
import type { Application, Leg } from './leg.ts'

import { execute } from './applications.ts'
import { countBeeps, durationOf, readTones } from './tones.ts'
import { onExecute } from './variables.ts'

const TONES = 'tone_stream://'

/** The list in an extension of the dialplan `inline` (`inline_dialplan_hunt`). */
export function readInline(extension: string): Application[] {
	const own = /^m:(.):(.*)$/s.exec(extension)
	const pieces = own?.[1] === undefined ? extension.split(',') : (own[2] ?? '').split(own[1])
	return pieces.map((piece) => {
		const colon = piece.indexOf(':')
		return colon < 0 ? { name: piece.trimStart(), argument: '' } : { name: piece.slice(0, colon).trimStart(), argument: piece.slice(colon + 1) }
	})
}

/** Executes one after the other; behind the last one the switch hangs up. */
export async function executeInline(context: CallContext, leg: Leg, applications: readonly Application[]): Promise<void> {
	const { core } = context
	for (const application of applications) {
		if (!isBrief(application)) {
			await execute(context, leg, application)
			return
		}
		await run(context, leg, application)
		if (leg.next !== undefined && leg.ending === undefined) {
			await execute(context, leg, leg.next)
			return
		}
	}
	core.hangUp(leg, { cause: 'NORMAL_CLEARING', by: 'switch' })
	if (leg.ending?.by === 'party') {
		leg.set('sip_hangup_disposition', 'recv_bye')
	}
	core.complete(leg)
	core.destroy(leg)
}

function isBrief({ name, argument }: Application): boolean {
	return ['sched_hangup', 'sleep'].includes(name) || (name === 'playback' && argument.startsWith(TONES))
}

async function run({ core }: CallContext, leg: Leg, { name, argument }: Application): Promise<void> {
	if (leg.ending !== undefined) {
		return
	}
	leg.hitDialplan = true
	leg.state = 'CS_EXECUTE'
	leg.stateNumber = 4
	leg.application = { name, argument }
	onExecute(leg, name, argument)
	if (name === 'sched_hangup') {
		core.later(leg, Number.parseInt(argument.replace('+', '')) * 1000, () => core.hangUp(leg, { cause: 'ALLOTTED_TIMEOUT', by: 'switch' }))
	} else if (name === 'sleep') {
		await pass(core, leg, Number.parseInt(argument))
	} else {
		const beeps = readTones(argument.slice(TONES.length))
		core.options.hear(leg, countBeeps(beeps))
		await pass(core, leg, durationOf(beeps))
	}
}

/** Lets time go by, unless the leg ends or is sent elsewhere. */
async function pass(core: CallContext['core'], leg: Leg, ms: number): Promise<void> {
	const until = core.clock.now() + ms * 1000
	for (let left = ms; left > 0 && !leg.hasNews; left = (until - core.clock.now()) / 1000) {
		await core.until(left, [leg])
	}
}
