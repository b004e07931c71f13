// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** `sofia recover`: what another switch had under way goes on here, under the same uuids. */

import type { Core } from './core.ts'

import { Leg } from './leg.ts'

/**
 * Takes over the answered channels of another switch and tells of them. From then on they end when they are hung up, and
 * each takes the one along with which it was joined.
 */
export function recover(core: Core, from: Core): void {
	for (const leg of [...from.legs.values()].filter(({ answered, ending }) => answered && ending === undefined)) {
		const taken = Object.assign(new Leg({ ...leg, createdAt: leg.times.created } as ConstructorParameters<typeof Leg>[0]), leg)
		core.add(taken)
		core.fireChannel(taken, 'CHANNEL_CREATE')
		core.fireChannel(taken, 'CHANNEL_ANSWER')
		void follow(core, taken)
	}
}

async function follow(core: Core, leg: Leg): Promise<void> {
	while (leg.ending === undefined) {
		await core.until(Infinity, [leg])
	}
	core.complete(leg)
	const other = core.locate(leg.other?.uuid ?? '')
	if (other !== undefined) {
		core.hangUp(other, { cause: leg.ending.cause, by: 'switch' })
	}
	core.destroy(leg)
}
