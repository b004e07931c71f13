// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { SettingRules } from '../../policy/settings-schema.ts'
import type { SavedSettings, Settings } from '../../policy/settings.ts'
import type { AuditTrail } from '../../privacy/audit-trail.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { changeSchema, keepSecrets, shownSchema, showSettings } from '../../policy/secret-settings.ts'
import { settingChanges } from '../../policy/settings-changes.ts'
import { settingsSchema, wholeSettingsSchema } from '../../policy/settings-schema.ts'
import { DEFAULT_SETTINGS, isSecretSetting, mergeSettings } from '../../policy/settings.ts'
import { invalidRequest, parse, route } from '../route.ts'

export interface AdminConfigOptions {
	settings: {
		get: () => Settings
		saved: () => Readonly<SavedSettings>
		save: (change: SavedSettings) => Promise<void>
	}
	environment: Partial<Settings>
	settingRules: SettingRules
	/** All companies that there are. */
	providers: readonly { kind: string, displayName: string, hasApi: boolean }[]
	audit: AuditTrail
}

export function adminConfigRoutes({ settings, environment, settingRules, providers, audit }: AdminConfigOptions): Route[] {
	const Schema = settingsSchema(settingRules)
	const Whole = wholeSettingsSchema(settingRules)
	const Change = changeSchema(Schema).meta({ id: 'SettingsChange' })
	const Answer = shownSchema(Schema).extend({
		source: z.record(z.string(), z.enum(['app', 'environment', 'default'])),
		providers: z.array(z.object({ kind: z.string(), displayName: z.string(), hasApi: z.boolean() })).describe('What `provider.kind` may be; without an interface nobody is asked'),
	}).meta({ id: 'Settings' })
	const present = () => {
		const saved: SavedSettings = settings.saved()
		const isSaved = (key: keyof Settings) => key in saved && (saved[key] !== null || !isSecretSetting(key))
		const source = (Object.keys(DEFAULT_SETTINGS) as (keyof Settings)[]).map((key) => [key, isSaved(key) ? 'app' : key in environment ? 'environment' : 'default'])
		const current = settings.get()
		// What is in force: the home country alone where no list was saved.
		const allowedCountries = current.allowedCountries ?? (current.homeCountry === null ? [] : [current.homeCountry])
		return { ...showSettings(current), allowedCountries, source: Object.fromEntries(source), providers: [...providers] }
	}
	return [
		route({
			method: 'get',
			path: '/admin/config',
			right: 'admin',
			summary: 'All settings, and where each comes from',
			answer: { status: 200, schema: Answer },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async () => ({ status: 200, body: present() }),
		}),
		route({
			method: 'post',
			path: '/admin/config',
			right: 'admin',
			summary: 'Change settings: all that is given, or nothing',
			body: Change,
			answer: { status: 200, schema: Answer },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, body }) => {
				const kept = keepSecrets(body, settings.get())
				if ('faults' in kept) {
					throw invalidRequest(kept.faults)
				}
				const saved = { ...settings.saved(), ...kept.saved }
				const current = mergeSettings(environment, saved)
				parse(Whole, current, '')
				const changes = settingChanges({ saved: settings.saved(), current: settings.get() }, { saved, current })
				const save = () => settings.save(kept.saved)
				await (changes.length === 0 ? save() : audit.during({ actor: { kind: 'admin', userId: caller.userId }, action: 'settings.changed', detail: { changes } }, save))
				return { status: 200, body: present() }
			},
		}),
	]
}
