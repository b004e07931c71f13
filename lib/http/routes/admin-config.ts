// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { DialRules } from '../../policy/settings-schema.ts'
import type { Settings } from '../../policy/settings.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { settingsSchema, wholeSettingsSchema } from '../../policy/settings-schema.ts'
import { DEFAULT_SETTINGS } from '../../policy/settings.ts'
import { parse, route } from '../route.ts'

export interface AdminConfigOptions {
	settings: {
		get: () => Settings
		saved: () => Readonly<Partial<Settings>>
		save: (change: Partial<Settings>) => Promise<void>
	}
	environment: Partial<Settings>
	dialRules: DialRules
}

export function adminConfigRoutes({ settings, environment, dialRules }: AdminConfigOptions): Route[] {
	const Whole = wholeSettingsSchema(dialRules)
	const Change = settingsSchema(dialRules).partial().meta({ id: 'SettingsChange' })
	const Answer = settingsSchema(dialRules).extend({ source: z.record(z.string(), z.enum(['app', 'environment', 'default'])) }).meta({ id: 'Settings' })
	const present = () => {
		const saved = settings.saved()
		const source = Object.keys(DEFAULT_SETTINGS).map((key) => [key, key in saved ? 'app' : key in environment ? 'environment' : 'default'])
		const current = settings.get()
		// What is in force: the home country alone where no list was saved.
		const allowedCountries = current.allowedCountries ?? (current.homeCountry === null ? [] : [current.homeCountry])
		return { ...current, allowedCountries, source: Object.fromEntries(source) }
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
			handle: async ({ body }) => {
				const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as Partial<Settings>
				parse(Whole, { ...settings.get(), ...change }, '')
				await settings.save(change)
				return { status: 200, body: present() }
			},
		}),
	]
}
