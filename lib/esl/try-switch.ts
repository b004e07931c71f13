// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Tries an address and a password that nobody has saved yet, on a connection of its own that ends with the answer.

import type { SwitchTrial, TrySwitch } from '../calls/switch-inquiry.ts'

import { EslConnection } from './esl-connection.ts'
import { EslError } from './esl-error.ts'
import { askDenied, askDeniedEvents, askGateway, askGatewayNames, askVersion, switchFaultOf } from './inquiry.ts'

/** A person waits: shorter than a connection that may take its time. */
const CONNECT_TIMEOUT_MS = 4_000
const COMMAND_TIMEOUT_MS = 3_000

/** @param timeouts for tests: shorter times than a network needs */
export function makeTrySwitch({ connectTimeoutMs = CONNECT_TIMEOUT_MS, commandTimeoutMs = COMMAND_TIMEOUT_MS } = {}): TrySwitch {
	return async ({ host, port, user, password }, gateways) => {
		const trial: SwitchTrial = { denied: [], gateways: new Map() }
		const began = performance.now()
		const passed = () => Math.round(performance.now() - began)
		let connection: EslConnection | undefined
		try {
			connection = await EslConnection.open({ host, port, password, user: user ?? undefined }, {
				connectTimeoutMs,
				commandTimeoutMs,
				onGreeting: () => {
					trial.reachedMs = passed()
				},
			})
			trial.acceptedMs = passed()
			const open = connection
			const ask = async (line: string) => (await open.command(line)).text
			// All at once: the switch answers them in their order.
			const [denied, events, version, names, ...conditions] = await Promise.all([
				askDenied(ask),
				askDeniedEvents(ask),
				askVersion(ask),
				askGatewayNames(ask),
				...gateways.map((name) => askGateway(ask, name)),
			])
			trial.denied = [...denied, ...events]
			trial.commandsMs = passed()
			trial.gateways = new Map(gateways.flatMap((name, at) => conditions[at] === undefined ? [] : [[name, conditions[at]]]))
			return { ...trial, ...(version === undefined ? {} : { version }), ...(names === undefined ? {} : { gatewayNames: names }) }
		} catch (error) {
			if (!(error instanceof EslError) || error.code === 'unsafe_command') {
				throw error
			}
			// Of the questions under way any may be the first to fail; the connection knows why.
			return { ...trial, fault: switchFaultOf(connection?.closed ?? error) }
		} finally {
			connection?.close()
		}
	}
}
