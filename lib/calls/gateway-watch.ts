// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which gateways are down, as the switch tells at once and is asked now and then. A call looks here and waits for nothing.

import type { Logger } from '../logger.ts'
import type { GatewayCondition, SwitchInquiry } from './switch-inquiry.ts'

import { SipCallError } from '../errors.ts'

export interface GatewayWatchOptions {
	callSwitch: Pick<SwitchInquiry, 'isReady' | 'gateway'>
	/** Those of the settings. */
	gateways: () => readonly string[]
	logger: Logger
}

/** `gone`: the switch has none of this name. A call over it fails with a reason that names the mistake. */
type Fault = 'down' | 'gone'

/** Seconds after which a gateway that is pinged may be up again. */
const RETRY_SEC = 15

export class GatewayWatch {
	readonly #options: GatewayWatchOptions
	readonly #faults = new Map<string, Fault>()
	/** How often the switch itself has told of a gateway: what was asked for before that is older. */
	readonly #told = new Map<string, number>()

	constructor(options: GatewayWatchOptions) {
		this.#options = options
	}

	/** The switch tells of a change; other gateways than those of the settings are not remembered. */
	tell(name: string, isUp: boolean): void {
		if (this.#options.gateways().includes(name)) {
			this.#told.set(name, (this.#told.get(name) ?? 0) + 1)
			this.#set(name, isUp ? undefined : 'down')
		}
	}

	/** Another connection, or another switch: nothing of what was known holds. */
	async begin(): Promise<void> {
		this.#faults.clear()
		await this.ask()
	}

	/** Asks for all of them. What is not answered stays as it was. */
	async ask(): Promise<void> {
		const { callSwitch, gateways, logger } = this.#options
		if (!callSwitch.isReady()) {
			return
		}
		await Promise.all(gateways().map(async (name) => {
			const told = this.#told.get(name)
			try {
				const condition = await callSwitch.gateway(name)
				if (this.#told.get(name) === told) {
					this.#set(name, faultOf(condition))
				}
			} catch (error) {
				logger.debug('A gateway could not be asked for', { gateway: name, error })
			}
		}))
	}

	/** In the order in which they are tried: those that are known to be down come last. */
	inOrder(gateways: readonly string[]): string[] {
		return gateways.toSorted((a, b) => Number(this.#faults.has(a)) - Number(this.#faults.has(b)))
	}

	/**
	 * @throws {SipCallError} `trunk_unavailable` when all of them are down
	 */
	need(gateways: readonly string[]): void {
		if (gateways.length > 0 && gateways.every((name) => this.#faults.get(name) === 'down')) {
			throw new SipCallError('trunk_unavailable', 'The phone company cannot be reached, so nothing was dialled. Try again in a moment, and tell your administrator if it stays so.', { retryAfterSec: RETRY_SEC })
		}
	}

	#set(name: string, fault: Fault | undefined): void {
		const before = this.#faults.get(name)
		if (fault === before) {
			return
		}
		if (fault === undefined) {
			this.#faults.delete(name)
			this.#options.logger.info('A gateway is up again', { gateway: name })
		} else {
			this.#faults.set(name, fault)
			this.#options.logger.warn(fault === 'down' ? 'A gateway is down: calls try it last' : 'FreeSWITCH has no gateway of this name', { gateway: name })
		}
	}
}

/** What FreeSWITCH itself would refuse an INVITE for. */
function faultOf(condition: GatewayCondition): Fault | undefined {
	switch (condition) {
		case 'silent':
		case 'registration_failed':
			return 'down'
		case 'missing':
			return 'gone'
		default:
			return undefined
	}
}
