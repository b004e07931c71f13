// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Tries settings that are not saved: how far a connection to FreeSWITCH comes, and what it says of the trunk.

import type { SwitchTrial, TrySwitch } from '../calls/switch-inquiry.ts'
import type { TrunkProvider } from '../calls/trunk-provider.ts'
import type { Settings, SwitchConnection } from '../policy/settings.ts'
import type { ComparedSettings } from './carrier.ts'
import type { Finding } from './findings.ts'

import { parseNumber } from '../numbering/parse-number.ts'
import { lookAtCarrier } from './carrier.ts'
import { finding } from './findings.ts'
import { versionFinding } from './probes/switches.ts'
import { severityOf } from './report.ts'

export type StepId = 'reachable' | 'password' | 'commands' | 'version' | 'gateway' | 'caller_id' | 'carrier'

/** A step that was taken, with its duration; or one that an earlier one kept from being taken. */
export type ConfigTestStep = { id: StepId, name?: string } & ((Finding & { latencyMs?: number }) | { state: 'not_run' })

export interface ConfigTest {
	/** Whether all of it works; what is only worth a warning does not fail it. */
	passed: boolean
	steps: ConfigTestStep[]
	/** The gateways that the switch has, where it tells. */
	gateways?: string[]
}

export async function testSwitch(trySwitch: TrySwitch, connection: SwitchConnection & { password: string }): Promise<ConfigTest> {
	const trial = await trySwitch(connection, [])
	return outcome(switchSteps(trial), trial)
}

export async function testTrunk(trySwitch: TrySwitch, connection: SwitchConnection, { gateways, callerIds }: Pick<Settings, 'gateways' | 'callerIds'>): Promise<ConfigTest> {
	const password = connection.password
	const trial = password === null ? undefined : await trySwitch({ ...connection, password }, gateways)
	const failed: ConfigTestStep[] = trial === undefined ? [{ id: 'reachable', ...finding('switch_not_set_up') }] : switchSteps(trial).filter(isFailure)
	const ofGateways = gateways.map((name): ConfigTestStep => {
		const condition = trial?.gateways.get(name)
		return condition === undefined ? { id: 'gateway', name, state: 'not_run' } : { id: 'gateway', name, ...finding(`gateway_${condition}`) }
	})
	return outcome([...failed, ...ofGateways, ...callerIdSteps(callerIds)], trial)
}

export async function testCarrier(provider: TrunkProvider, settings: ComparedSettings): Promise<ConfigTest> {
	const { findings, latencyMs } = await lookAtCarrier(provider, settings)
	return outcome(findings.map((found, at) => ({ id: 'carrier', ...found, ...(at === 0 && latencyMs !== undefined ? { latencyMs } : {}) })), undefined)
}

/** A caller ID is named by its place in the list: a number stands in no answer that may be copied. */
function callerIdSteps(callerIds: Settings['callerIds']): ConfigTestStep[] {
	return callerIds.length === 0
		? [{ id: 'caller_id', ...finding('caller_id_own') }]
		: callerIds.map(({ number }, at) => ({ id: 'caller_id', ...finding('fault' in parseNumber(number, null) ? 'caller_id_invalid' : 'caller_id_ok', { position: at + 1 }) }))
}

function switchSteps({ reachedMs, acceptedMs, commandsMs, fault, denied, version }: SwitchTrial): ConfigTestStep[] {
	const broke = finding(`switch_${fault ?? 'lost'}`)
	if (reachedMs === undefined) {
		return [{ id: 'reachable', ...broke }, ...notRun('password', 'commands', 'version')]
	}
	const reachable: ConfigTestStep = { id: 'reachable', ...finding('switch_reached'), latencyMs: reachedMs }
	if (acceptedMs === undefined) {
		return [reachable, { id: 'password', ...broke }, ...notRun('commands', 'version')]
	}
	const password: ConfigTestStep = { id: 'password', ...finding('switch_password_ok'), latencyMs: acceptedMs - reachedMs }
	if (commandsMs === undefined) {
		return [reachable, password, { id: 'commands', ...broke }, ...notRun('version')]
	}
	const commands = denied.length === 0 ? finding('switch_commands_ok') : finding('switch_commands_denied', { commands: denied.join(', ') })
	return [reachable, password, { id: 'commands', ...commands, latencyMs: commandsMs - acceptedMs }, { id: 'version', ...versionFinding(version) }]
}

function notRun(...ids: StepId[]): ConfigTestStep[] {
	return ids.map((id) => ({ id, state: 'not_run' }))
}

function isFailure(step: ConfigTestStep): boolean {
	return 'code' in step && severityOf(step) !== 'ok' && step.state !== 'degraded'
}

function outcome(steps: ConfigTestStep[], trial: SwitchTrial | undefined): ConfigTest {
	return {
		passed: steps.every((step) => step.state !== 'not_run' && !isFailure(step)),
		steps,
		...(trial?.gatewayNames === undefined ? {} : { gateways: trial.gatewayNames }),
	}
}
