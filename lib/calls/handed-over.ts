// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Logger } from '../logger.ts'
import type { Call } from './call.ts'
import type { CallStore, CallSwitch, HandedOverLeg } from './ports.ts'

import { isHandedOver, talkingLeg } from './call.ts'

export interface HandedOverOptions {
	store: Pick<CallStore, 'handedOver' | 'endHandedOver'>
	callSwitch: Pick<CallSwitch, 'look'>
	logger: Logger
}

interface Watched extends HandedOverLeg {
	/** Monotonic milliseconds. */
	askedAt: number
	isEnding: boolean
}

/** How often the switch is asked whether a leg is still there, should its end have been missed. */
const ASK_MS = 60_000

/**
 * The people who were transferred and still talk. Their calls are over in the books, but they hold lines and cost money:
 * they count where calls are limited. They stand in the database from the moment on in which the call ends; here they are
 * watched until they hang up.
 */
export class HandedOverLegs {
	readonly #options: HandedOverOptions
	readonly #legs = new Map<string, Watched>()

	constructor(options: HandedOverOptions) {
		this.#options = options
	}

	/** Takes up those who talk already. */
	async load(now: number): Promise<void> {
		for (const leg of await this.#options.store.handedOver()) {
			this.#watch(leg, now)
		}
	}

	/** Takes up the leg of a call that has ended by a transfer. */
	add(call: Call, now: number): void {
		const leg = isHandedOver(call) ? talkingLeg(call) : undefined
		if (leg !== undefined) {
			this.#watch({ legUuid: leg.uuid, ...(call.node === undefined ? {} : { node: call.node }) }, now)
		}
	}

	/** The switch says that a leg has ended. */
	ended(legUuid: string): void {
		const leg = this.#legs.get(legUuid)
		if (leg === undefined || leg.isEnding) {
			return
		}
		leg.isEnding = true
		this.#options.store.endHandedOver(legUuid).then(
			() => this.#legs.delete(legUuid),
			(error: unknown) => {
				leg.isEnding = false
				this.#options.logger.warn('The end of a transferred leg cannot be stored; it is tried again', { legUuid, error })
			},
		)
	}

	/**
	 * Asks for those of which nothing was heard for long.
	 *
	 * @param now monotonic milliseconds
	 * @param isOurs whether this replica looks after what is on a switch
	 */
	ask(now: number, isOurs: (node: string | undefined) => boolean): void {
		for (const [legUuid, leg] of this.#legs) {
			if (now - leg.askedAt >= ASK_MS && isOurs(leg.node)) {
				leg.askedAt = now
				this.#options.callSwitch.look(legUuid, leg.node).then(
					(report) => report === undefined && this.ended(legUuid),
					(error: unknown) => this.#options.logger.warn('A transferred leg could not be asked for; it is repeated', { legUuid, error }),
				)
			}
		}
	}

	#watch(leg: HandedOverLeg, now: number): void {
		if (!this.#legs.has(leg.legUuid)) {
			this.#legs.set(leg.legUuid, { ...leg, askedAt: now, isEnding: false })
		}
	}
}
