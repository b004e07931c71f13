// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Call } from './call.ts'
import type { CallSwitch } from './ports.ts'

import { isHandedOver, talkingLeg } from './call.ts'

interface Leg {
	userId: string
	node: string | undefined
	/** Monotonic milliseconds. */
	askedAt: number
}

/** How often the switch is asked whether a leg is still there, should its end have been missed. */
const ASK_MS = 60_000

/**
 * The people who were transferred and still talk. Their calls are over in the books, but they hold lines and cost money:
 * they count where calls are limited. Known in this process alone; after a restart only the switch's own limit holds.
 */
export class HandedOverLegs {
	readonly #legs = new Map<string, Leg>()

	/** Takes up the leg of a call that has ended by a transfer. */
	add(call: Call, now: number): void {
		const leg = isHandedOver(call) ? talkingLeg(call) : undefined
		if (leg !== undefined) {
			this.#legs.set(leg.uuid, { userId: call.userId, node: call.node, askedAt: now })
		}
	}

	/** The switch says that a leg has ended. */
	ended(legUuid: string): void {
		this.#legs.delete(legUuid)
	}

	get size(): number {
		return this.#legs.size
	}

	ofUser(userId: string): number {
		return [...this.#legs.values()].filter((leg) => leg.userId === userId).length
	}

	/** Asks for those of which nothing was heard for long. Rejects as the switch does. */
	async ask(callSwitch: Pick<CallSwitch, 'look'>, now: number): Promise<void> {
		for (const [uuid, leg] of this.#legs) {
			if (now - leg.askedAt >= ASK_MS) {
				leg.askedAt = now
				if (await callSwitch.look(uuid, leg.node) === undefined) {
					this.#legs.delete(uuid)
				}
			}
		}
	}
}
