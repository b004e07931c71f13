// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How FreeSWITCH and its gateways are looked at.

import type { NodeFigures, SwitchInquiry } from '../../calls/switch-inquiry.ts'
import type { Probe } from '../health.ts'
import type { Part } from '../report.ts'

import { finding } from '../findings.ts'
import { timed } from '../health.ts'
import { MOST_SKEW_MS, soon } from './limits.ts'

/** A person notices that what the page shows lags behind. */
const MOST_LAG_SEC = 5

/** One line for each node; a name only where there are several. */
export function switchProbe(nodes: () => readonly SwitchInquiry[], figures: (node: string) => NodeFigures | undefined): Probe {
	return {
		id: 'freeswitch',
		ifSilent: 'switch_no_answer',
		look: async () => {
			const all = nodes()
			const hasSeveral = all.length > 1
			const parts = await Promise.all(all.map(async (node): Promise<Part> => {
				// Of several one that hangs must not hide the others.
				const found = hasSeveral ? await soon(() => lookAtNode(node, figures(node.name)), 'switch_no_answer') : await lookAtNode(node, figures(node.name))
				return { id: 'freeswitch', ...(hasSeveral ? { name: node.name } : {}), ...found }
			}))
			return all.length === 0 ? [{ id: 'freeswitch', ...finding('switch_not_set_up') }] : parts
		},
	}
}

async function lookAtNode(node: SwitchInquiry, figures: NodeFigures | undefined): Promise<Omit<Part, 'id'>> {
	if (!node.isServing()) {
		const fault = node.fault()
		return finding(fault === undefined ? 'switch_connecting' : `switch_${fault}`)
	}
	const [{ value: version, latencyMs }, denied] = await Promise.all([timed(() => node.version()), node.denied(), node.hearsEvents()])
	const found = (figures === undefined ? undefined : loadFinding(figures)) ?? rightsFinding(denied) ?? connectionFinding(node, version, figures)
	return { ...found, latencyMs, ...(figures === undefined ? {} : { load: loadOf(figures) }) }
}

/** What keeps a node from taking calls while it is connected. */
function loadFinding({ isAccepting, sessions, maxSessions }: NodeFigures): ReturnType<typeof finding> | undefined {
	if (isAccepting === false) {
		return finding('switch_paused')
	}
	// A call needs two.
	return sessions !== undefined && maxSessions !== undefined && sessions + 2 > maxSessions ? finding('switch_full', { sessions, maxSessions }) : undefined
}

/** Without which no call can be placed and looked after. Without `sofia` only the gateways' states are not told, which is said there. */
const VITAL_COMMANDS = ['originate', 'uuid_kill', 'uuid_exists', 'uuid_dump']

function rightsFinding(denied: readonly string[]): ReturnType<typeof finding> | undefined {
	const [vital, others] = [denied.filter((command) => VITAL_COMMANDS.includes(command)), denied.filter((command) => !VITAL_COMMANDS.includes(command) && command !== 'sofia')]
	return vital.length > 0
		? finding('switch_commands_denied', { commands: vital.join(', ') })
		: others.length > 0 ? finding('switch_controls_denied', { commands: others.join(', ') }) : undefined
}

/** What is worth a word of a node that takes calls, the worst first. */
function connectionFinding({ hasStockPassword }: SwitchInquiry, version: string | undefined, figures: NodeFigures | undefined): ReturnType<typeof finding> {
	const { clockSkewSec = 0, eventLagSec = 0 } = figures ?? {}
	const ofVersion = versionFinding(version)
	if (hasStockPassword) {
		return finding('switch_stock_password')
	}
	if (ofVersion.state !== 'ok') {
		return ofVersion
	}
	if (Math.abs(clockSkewSec) * 1000 > MOST_SKEW_MS) {
		return finding('switch_clock', { seconds: Math.round(Math.abs(clockSkewSec)) })
	}
	return eventLagSec > MOST_LAG_SEC ? finding('switch_events_late', { seconds: Math.round(eventLagSec) }) : ofVersion
}

function loadOf({ sessions, maxSessions, sessionsPerSec, callsPerSec, waiting, refused, heartbeatAgeSec }: NodeFigures): NonNullable<Part['load']> {
	return {
		...(sessions === undefined ? {} : { sessions }),
		...(maxSessions === undefined ? {} : { maxSessions }),
		...(sessionsPerSec === undefined ? {} : { sessionsPerSec }),
		...(heartbeatAgeSec === undefined ? {} : { heartbeatAgeSec: Math.round(heartbeatAgeSec) }),
		callsPerSec,
		waiting,
		refused,
	}
}

/** What a version of FreeSWITCH means. */
export function versionFinding(version: string | undefined): ReturnType<typeof finding> {
	if (version === undefined) {
		return finding('switch_ok_unversioned')
	}
	const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part))
	return finding(major < 1 || (major === 1 && minor < 10) ? 'switch_old' : 'switch_ok', { version })
}

/** Each gateway on each node: the same name stands for another connection there. */
export function gatewayProbe(nodes: () => readonly SwitchInquiry[], gateways: () => readonly string[]): Probe {
	return {
		id: 'gateway',
		ifSilent: 'gateway_unasked',
		look: async () => {
			const all = nodes()
			const names = gateways()
			if (!all.some((node) => node.isReady())) {
				return names.map((name) => ({ id: 'gateway', name, ...finding('gateway_unasked') }))
			}
			return Promise.all(all.flatMap((node) => names.map(async (gateway): Promise<Part> => {
				const name = all.length > 1 ? `${gateway} (${node.name})` : gateway
				if (!node.isReady()) {
					return { id: 'gateway', name, ...finding('gateway_unasked') }
				}
				const look = async () => {
					const { value: condition, latencyMs } = await timed(() => node.gateway(gateway))
					return { ...finding(`gateway_${condition}`), latencyMs }
				}
				return { id: 'gateway', name, ...all.length > 1 ? await soon(look, 'gateway_unasked') : await look() }
			})))
		},
	}
}
