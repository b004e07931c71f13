// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Tries settings before they are saved. A saved password is used only for the host and port for which it was saved.

import type { SettingRules } from '../../policy/settings-schema.ts'
import type { ProviderSettings, Settings, SwitchConnection } from '../../policy/settings.ts'
import type { AuditTrail } from '../../privacy/audit-trail.ts'
import type { ConfigTestJson } from '../health-schemas.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { changeSchema, keepSecrets } from '../../policy/secret-settings.ts'
import { settingsSchema } from '../../policy/settings-schema.ts'
import { ConfigTestSchema } from '../health-schemas.ts'
import { invalidRequest, route } from '../route.ts'

export interface ConfigTestRoutesOptions {
	settings: () => Settings
	settingRules: SettingRules
	testSwitch: (connection: SwitchConnection & { password: string }) => Promise<ConfigTestJson>
	testTrunk: (connection: SwitchConnection, trunk: Pick<Settings, 'gateways' | 'callerIds'>) => Promise<ConfigTestJson>
	testCarrier: (provider: ProviderSettings, callerIds: Settings['callerIds']) => Promise<ConfigTestJson>
	/** @throws {SipCallError} `rate_limited` */
	guard: (adminId: string) => Promise<void>
	audit: Pick<AuditTrail, 'write'>
}

export function configTestRoutes({ settings, settingRules, testSwitch, testTrunk, testCarrier, guard, audit }: ConfigTestRoutesOptions): Route[] {
	const { gateways, callerIds } = settingsSchema(settingRules).shape
	const Connection = changeSchema(settingsSchema(settingRules)).shape.freeswitch.unwrap().unwrap()
	const Provider = settingsSchema(settingRules).shape.provider.unwrap()
	const Body = z.discriminatedUnion('part', [
		z.strictObject({ part: z.literal('freeswitch'), values: Connection }),
		z.strictObject({ part: z.literal('trunk'), values: z.strictObject({ gateways, callerIds, freeswitch: Connection.optional().describe('Left out = the saved one') }) }),
		z.strictObject({ part: z.literal('provider'), values: z.strictObject({ provider: Provider, callerIds }) }),
	]).meta({ id: 'ConfigTestWish' })

	/** @param path of the connection in the body */
	function connectionOf(given: z.output<typeof Connection>, path: string): SwitchConnection & { password: string } {
		const kept = keepSecrets({ freeswitch: given }, settings())
		if ('faults' in kept) {
			throw invalidRequest(kept.faults.map(({ message }) => ({ field: `${path}.password`, message })))
		}
		const { password = null } = kept.saved.freeswitch ?? {}
		if (password === null) {
			throw invalidRequest([{ field: `${path}.password`, message: 'Give the password' }])
		}
		return { host: given.host, port: given.port, user: given.user, password }
	}

	function providerOf(given: ProviderSettings): ProviderSettings {
		const kept = keepSecrets({ provider: given }, settings())
		if ('faults' in kept) {
			throw invalidRequest(kept.faults.map(({ field, message }) => ({ field: `values.${field}`, message })))
		}
		const provider = kept.saved.provider ?? given
		if (provider.kind !== 'generic' && provider.apiKey === undefined) {
			throw invalidRequest([{ field: 'values.provider.apiKey', message: 'Give the key of this company’s interface' }])
		}
		return provider
	}

	return [
		route({
			method: 'post',
			path: '/admin/config/test',
			right: 'admin',
			summary: 'Try a connection to FreeSWITCH, a trunk, or a phone company’s key, that is not saved yet; nothing is changed and nothing rings',
			body: Body,
			answer: { status: 200, schema: ConfigTestSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'rate_limited', 'forbidden', 'storage_unavailable', 'nextcloud_unavailable'],
			handle: async ({ caller, body }) => {
				if (body.part === 'provider') {
					const provider = providerOf(body.values.provider)
					await guard(caller.userId)
					await audit.write({ actor: { kind: 'admin', userId: caller.userId }, action: 'settings.tested', detail: { part: body.part, kind: provider.kind } })
					return { status: 200, body: await testCarrier(provider, body.values.callerIds) }
				}
				const connection = body.part === 'freeswitch'
					? connectionOf(body.values, 'values')
					: body.values.freeswitch === undefined ? settings().freeswitch : connectionOf(body.values.freeswitch, 'values.freeswitch')
				await guard(caller.userId)
				// A secret is sent to a machine: to which one is kept, as is who wanted it.
				await audit.write({ actor: { kind: 'admin', userId: caller.userId }, action: 'settings.tested', detail: { part: body.part, host: connection.host, port: connection.port } })
				const result = body.part === 'freeswitch' && connection.password !== null
					? await testSwitch({ ...connection, password: connection.password })
					: await testTrunk(connection, body.part === 'trunk' ? body.values : settings())
				return { status: 200, body: result }
			},
		}),
	]
}
