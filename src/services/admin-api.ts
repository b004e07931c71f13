// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What only administrators ask of the API, and its shapes. */

import type { ConfigTestJson, HealthJson, HealthPartJson, TestCallJson } from '../../lib/http/health-schemas.ts'
import type { UserChangeJson, UserJson } from '../../lib/http/routes/admin-users.ts'
import type { ExplanationJson } from '../../lib/http/schemas.ts'
import type { changeSchema, ShownSettings } from '../../lib/policy/secret-settings.ts'

import { send } from './api.ts'

export type AdminUser = UserJson
export type UserChange = UserChangeJson
export type Explained = ExplanationJson
export type Health = HealthJson
export type HealthPart = HealthPartJson
export type ConfigTest = ConfigTestJson
export type TestCall = TestCallJson
export type Settings = ShownSettings
export type SettingsChange = ReturnType<typeof changeSchema>['_zod']['input']
export type SettingKey = keyof SettingsChange
/** The settings, and where each of them comes from. */
export type SourcedSettings = Settings & { source: Readonly<Record<string, 'app' | 'environment' | 'default'>> }

export interface UserPage {
	items: AdminUser[]
	/** null = there are no more. */
	nextOffset: number | null
}

export function getUsers(search: string, offset: number, signal?: AbortSignal): Promise<UserPage> {
	return send({ method: 'get', url: 'admin/users', params: { search, limit: 50, offset }, ...(signal === undefined ? {} : { signal }) })
}

/** @return the user as it is now */
export function putUser(id: string, change: UserChange): Promise<AdminUser> {
	return send({ method: 'put', url: `admin/users/${encodeURIComponent(id)}`, data: change })
}

export function getSettings(): Promise<SourcedSettings> {
	return send({ method: 'get', url: 'admin/config' })
}

/**
 * Saves all that is given, or nothing.
 *
 * @return the settings as they are now
 */
export function saveSettings(change: SettingsChange): Promise<SourcedSettings> {
	return send({ method: 'post', url: 'admin/config', data: change })
}

/** What would happen if a user called a number under a policy that is not saved. Nothing is dialled or counted. */
export function tryNumber(policy: SettingsChange, userId: string, to: string, signal: AbortSignal): Promise<Explained> {
	return send({ method: 'post', url: 'admin/policy/explain', data: { policy, userId, to }, signal })
}

/** What is wrong, of every part but the way from this browser to Nextcloud. */
export function getHealth(): Promise<Health> {
	return send({ method: 'get', url: 'admin/health' })
}

/** Tries settings that are not saved. A password that is left out is the saved one, where that may be used. */
export function testConfig(part: 'freeswitch' | 'trunk', values: object): Promise<ConfigTest> {
	return send({ method: 'post', url: 'admin/config/test', data: { part, values } })
}

/** Rings one of the administrator's own phones. */
export function startTestCall(device: string): Promise<TestCall> {
	return send({ method: 'post', url: 'admin/test-call', data: { device } })
}

export function getTestCall(id: string): Promise<TestCall> {
	return send({ method: 'get', url: `admin/test-call/${id}` })
}
