// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which gateways are down, as the switch tells at once and is asked now and then. A call looks here and waits for nothing.

import type { Logger } from '../logger.ts'
import type { GatewayCondition, SwitchInquiry } from './switch-inquiry.ts'

import { SipCallError } from '../errors.ts'

/** One FreeSWITCH, of whose gateways is asked. */
export interface WatchedNode extends Pick<SwitchInquiry, 'isReady' | 'gateway'> {
	readonly name: string
}

export interface GatewayWatchOptions {
	nodes: () => readonly WatchedNode[]
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
	/** By node, and there by gateway: the same name stands for another connection on each node. */
	readonly #faults = new Map<string, Map<string, Fault>>()
	/** How often a node itself has told of a gateway: what was asked for before that is older. */
	readonly #told = new Map<string, number>()

	constructor(options: GatewayWatchOptions) {
		this.#options = options
	}

	/** A node tells of a change; other gateways than those of the settings are not remembered. */
	tell(name: string, isUp: boolean, node: string): void {
		if (this.#options.gateways().includes(name)) {
			const key = `${node} ${name}`
			this.#told.set(key, (this.#told.get(key) ?? 0) + 1)
			this.#set(node, name, isUp ? undefined : 'down')
		}
	}

	/** Another connection to a node: nothing of what was known of it holds. */
	async begin(node: string): Promise<void> {
		this.#faults.delete(node)
		await this.ask(node)
	}

	/**
	 * Asks for all of them. What is not answered stays as it was.
	 *
	 * @param only this node
	 */
	async ask(only?: string): Promise<void> {
		const { nodes, gateways, logger } = this.#options
		const asked = nodes().filter((node) => (only === undefined || node.name === only) && node.isReady())
		await Promise.all(asked.flatMap((node) => gateways().map(async (name) => {
			const key = `${node.name} ${name}`
			const told = this.#told.get(key)
			try {
				const condition = await node.gateway(name)
				if (this.#told.get(key) === told) {
					this.#set(node.name, name, faultOf(condition))
				}
			} catch (error) {
				logger.debug('A gateway could not be asked for', { gateway: name, node: node.name, error })
			}
		})))
	}

	/**
	 * In the order in which they are tried: those that are known to be down come last.
	 *
	 * @param node through which they are called; undefined = through any, so that only what is down on each counts
	 */
	inOrder(gateways: readonly string[], node?: string): string[] {
		return gateways.toSorted((a, b) => Number(this.#fault(a, node) !== undefined) - Number(this.#fault(b, node) !== undefined))
	}

	/** Whether one of them may be up on a node. */
	hasAny(gateways: readonly string[], node?: string): boolean {
		return gateways.length === 0 || gateways.some((name) => this.#fault(name, node) !== 'down')
	}

	/**
	 * @param node through which they are called; undefined = through any
	 * @throws {SipCallError} `trunk_unavailable` when all of them are down
	 */
	need(gateways: readonly string[], node?: string): void {
		if (!this.hasAny(gateways, node)) {
			throw new SipCallError('trunk_unavailable', 'The phone company cannot be reached, so nothing was dialled. Try again in a moment, and tell your administrator if it stays so.', { retryAfterSec: RETRY_SEC })
		}
	}

	/** Of a node that is none of ours, and without one: what is so on every node that can be asked. */
	#fault(name: string, node: string | undefined): Fault | undefined {
		const nodes = this.#options.nodes()
		if (node !== undefined && nodes.some((known) => known.name === node)) {
			return this.#faults.get(node)?.get(name)
		}
		const faults = nodes.filter((known) => known.isReady()).map((known) => this.#faults.get(known.name)?.get(name))
		return faults.includes(undefined) ? undefined : faults.find((fault) => fault === 'gone') ?? faults[0]
	}

	#set(node: string, name: string, fault: Fault | undefined): void {
		const faults = this.#faults.get(node) ?? new Map<string, Fault>()
		this.#faults.set(node, faults)
		if (fault === faults.get(name)) {
			return
		}
		const where = { gateway: name, node }
		if (fault === undefined) {
			faults.delete(name)
			this.#options.logger.info('A gateway is up again', where)
		} else {
			faults.set(name, fault)
			this.#options.logger.warn(fault === 'down' ? 'A gateway is down: calls try it last' : 'FreeSWITCH has no gateway of this name', where)
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
