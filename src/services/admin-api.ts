// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What only administrators ask of the API, and its shapes. */

import type { ConfigTestJson, HealthJson, HealthPartJson, TestCallJson } from '../../lib/http/health-schemas.ts'
import type { UserChangeJson, UserJson } from '../../lib/http/routes/admin-users.ts'
import type { AuditEntryJson, AuditLogJson, AuditVerificationJson } from '../../lib/http/routes/audit-log.ts'
import type { MetricsJson } from '../../lib/http/routes/metrics.ts'
import type { NumberLookUpJson, SampleNumberJson } from '../../lib/http/routes/numbers.ts'
import type { RateTableJson } from '../../lib/http/routes/rate-table.ts'
import type { SnippetsJson } from '../../lib/http/routes/snippets.ts'
import type { ExplanationJson } from '../../lib/http/schemas.ts'
import type { changeSchema, ShownSettings } from '../../lib/policy/secret-settings.ts'

import { CSV_TIMEOUT_MS, send } from './api.ts'

export type AdminUser = UserJson
export type UserChange = UserChangeJson
export type Explained = ExplanationJson
export type SampleNumber = SampleNumberJson
export type NumberLookUp = NumberLookUpJson
export type Metrics = MetricsJson
export type RateTable = RateTableJson
export type LiveCall = MetricsJson['live'][number]
export type Health = HealthJson
export type HealthPart = HealthPartJson
export type ConfigTest = ConfigTestJson
export type TestCall = TestCallJson
export type Snippet = SnippetsJson['snippets'][number]
export type Settings = ShownSettings
export type SettingsChange = ReturnType<typeof changeSchema>['_zod']['input']
export type SettingKey = keyof SettingsChange
/** The settings, where each of them comes from, and the companies that there are. */
export type SourcedSettings = Settings & {
	source: Readonly<Record<string, 'app' | 'environment' | 'default'>>
	providers: readonly { kind: string, displayName: string, hasApi: boolean }[]
}

export type AuditEntry = AuditEntryJson
export type AuditVerification = AuditVerificationJson

export interface AuditFilter {
	action?: string
	/** A user's id, or the beginning of a reference. */
	actor?: string
	target?: string
	/** Of the time asked for. */
	from?: string
	/** No longer part of it. */
	to?: string
}

export type AuditPage = AuditLogJson

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

/** Reads a table of prices; nothing is saved. */
export function readRateTable(csv: string): Promise<RateTable> {
	return send({ method: 'post', url: 'admin/rates/read', data: { csv } })
}

/** What would happen if a user called a number under a policy that is not saved. Nothing is dialled or counted. */
export function tryNumber(policy: SettingsChange, userId: string, to: string, signal: AbortSignal): Promise<Explained> {
	return send({ method: 'post', url: 'admin/policy/explain', data: { policy, userId, to }, signal })
}

/** What the phone company knows of a number; it charges for each. */
export function lookUpNumber(to: string): Promise<NumberLookUp> {
	return send({ method: 'post', url: 'admin/numbers/lookup', data: { to } })
}

/**
 * Numbers to try a policy on: to be explained, never dialled.
 *
 * @param homeCountry not saved; null = none, undefined = the saved one
 */
export function getSampleNumbers(homeCountry: string | null | undefined, signal: AbortSignal): Promise<SampleNumber[]> {
	return send({ method: 'get', url: 'admin/policy/samples', params: homeCountry === undefined ? {} : { homeCountry: homeCountry ?? '' }, signal })
}

/**
 * What calls add up to, in the last seven days where none are given.
 *
 * @param range `YYYY-MM-DD`, both days included
 */
export function getMetrics(range: { from?: string, to?: string }, signal: AbortSignal): Promise<Metrics> {
	return send({ method: 'get', url: 'admin/metrics', params: range, signal })
}

/** Ends a call of anybody. The server keeps at it until both legs are gone. */
export function endCall(uuid: string): Promise<Pick<LiveCall, 'uuid' | 'version' | 'status'>> {
	return send({ method: 'delete', url: `admin/call/${encodeURIComponent(uuid)}` })
}

/** Who did what, newest first. */
export function getAuditLog(filter: AuditFilter, cursor: string | undefined, signal: AbortSignal): Promise<AuditPage> {
	return send({ method: 'get', url: 'admin/audit-log', params: { ...filter, ...(cursor === undefined ? {} : { cursor }) }, signal })
}

/** All entries that fit; that they were downloaded is an entry itself. */
export function getAuditCsv(filter: AuditFilter): Promise<string> {
	return send({ method: 'get', url: 'admin/audit-log', params: filter, headers: { Accept: 'text/csv' }, responseType: 'text', timeout: CSV_TIMEOUT_MS }, 'text/csv')
}

/** What the last check of the whole log has found, or how far it is. */
export function getAuditVerification(signal: AbortSignal): Promise<AuditVerification> {
	return send({ method: 'get', url: 'admin/audit-log/verify', signal })
}

/** Begins a check, unless one is under way. */
export function verifyAuditLog(): Promise<AuditVerification> {
	return send({ method: 'post', url: 'admin/audit-log/verify', data: {} })
}

/** What is wrong, of every part but the way from this browser to Nextcloud. */
export function getHealth(): Promise<Health> {
	return send({ method: 'get', url: 'admin/health' })
}

/** Pieces of FreeSWITCH's configuration, with the values of the saved settings. */
export async function getSnippets(): Promise<Snippet[]> {
	return (await send<SnippetsJson>({ method: 'get', url: 'admin/freeswitch/snippets' })).snippets
}

/** Tries settings that are not saved. A password that is left out is the saved one, where that may be used. */
export function testConfig(part: 'freeswitch' | 'trunk' | 'provider', values: object): Promise<ConfigTest> {
	return send({ method: 'post', url: 'admin/config/test', data: { part, values } })
}

/** Rings one of the administrator's own phones. */
export function startTestCall(device: string): Promise<TestCall> {
	return send({ method: 'post', url: 'admin/test-call', data: { device } })
}

export function getTestCall(id: string): Promise<TestCall> {
	return send({ method: 'get', url: `admin/test-call/${id}` })
}
