// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CountryCode } from 'libphonenumber-js/max'
import type { Settings } from '../../calls/settings.ts'
import type { Route } from '../route.ts'

import { getCountries } from 'libphonenumber-js/max'
import { z } from 'zod'
import { DEFAULT_SETTINGS } from '../../calls/settings.ts'
import { parse, route } from '../route.ts'
import { text } from '../schemas.ts'

export interface AdminConfigOptions {
	settings: {
		get: () => Promise<Settings>
		saved: () => Promise<Partial<Settings>>
		save: (change: Partial<Settings>, userId: string, now: Date) => Promise<Settings>
	}
	environment: Partial<Settings>
	/** What may stand in a dial string is the switch's matter: it says so itself. */
	dialRules: { isDialTemplate: (text: string) => boolean, isGatewayName: (text: string) => boolean, isDomain: (text: string) => boolean }
	now: () => Date
}

const COUNTRIES: ReadonlySet<string> = new Set(getCountries())
const TYPES = ['FIXED_LINE', 'MOBILE', 'FIXED_LINE_OR_MOBILE', 'TOLL_FREE', 'PREMIUM_RATE', 'SHARED_COST', 'VOIP', 'PERSONAL_NUMBER', 'PAGER', 'UAN', 'VOICEMAIL'] as const

/** The settings that this version acts on; one that it would only store is refused, so that nobody relies on it. */
function settingsSchema({ isDialTemplate, isGatewayName, isDomain }: AdminConfigOptions['dialRules']) {
	const country = z.string().refine((code): code is CountryCode => COUNTRIES.has(code), 'Not an ISO 3166 country code such as DE')
	const prefix = z.string().regex(/^\+[1-9][0-9]{0,14}$/, 'Not the beginning of an E.164 number such as +4930')
	const count = (largest: number) => z.int().min(1).max(largest)
	const e164 = z.string().regex(/^\+[1-9][0-9]{6,14}$/, 'Not an E.164 number such as +4930123456')
	const label = text(64).min(1)
	return z.strictObject({
		homeCountry: country.nullable(),
		allowedCountries: z.array(country).max(300).nullable(),
		allowedTypes: z.array(z.enum(TYPES)),
		allowedPrefixes: z.array(prefix).max(1000),
		deniedPrefixes: z.array(prefix).max(1000),
		allowedGroups: z.array(text(64).min(1)).max(100).nullable(),
		callsPerMinute: count(1_000_000),
		callsPerHour: count(1_000_000),
		callsPerDay: count(1_000_000),
		maxConcurrentPerUser: count(1000),
		maxConcurrent: count(10_000),
		maxCallSec: count(86_400),
		sipDialString: z.string().refine(isDialTemplate, 'Not a dial string such as user/{address}@{domain} or sofia/internal/{address}@{domain}'),
		sipDomain: z.string().refine(isDomain, 'Not a host name').nullable(),
		gateways: z.array(z.string().refine(isGatewayName, 'Not a gateway’s name: letters, digits and _ . - only')).min(1).max(5),
		callerIds: z.array(z.strictObject({ number: e164, label, groups: z.array(text(64).min(1)).optional() })).max(200),
		deviceVerification: z.strictObject({ phone: z.enum(['code', 'none']), sip: z.enum(['none', 'admin']) }),
		ringTimeoutSec: count(300),
		answerTimeoutSec: count(300),
	})
}

export function adminConfigRoutes({ settings, environment, dialRules, now }: AdminConfigOptions): Route[] {
	const Whole = settingsSchema(dialRules).superRefine((value, context) => {
		// `user/1000` falls back to FreeSWITCH's own domain; other endpoints would dial a host that is not there.
		if (value.sipDialString.includes('{domain}') && !value.sipDialString.startsWith('user/') && value.sipDomain === null) {
			context.addIssue({ code: 'custom', path: ['sipDomain'], message: 'This dial string needs a domain' })
		}
	})
	const Change = settingsSchema(dialRules).partial().meta({ id: 'SettingsChange' })
	const Answer = settingsSchema(dialRules).extend({ source: z.record(z.string(), z.enum(['app', 'environment', 'default'])) }).meta({ id: 'Settings' })
	const present = async () => {
		const saved = await settings.saved()
		const source = Object.keys(DEFAULT_SETTINGS).map((key) => [key, key in saved ? 'app' : key in environment ? 'environment' : 'default'])
		return { ...await settings.get(), source: Object.fromEntries(source) }
	}
	return [
		route({
			method: 'get',
			path: '/admin/config',
			right: 'admin',
			summary: 'All settings, and where each comes from',
			answer: { status: 200, schema: Answer },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async () => ({ status: 200, body: await present() }),
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
				const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as Partial<Settings>
				parse(Whole, { ...await settings.get(), ...change }, '')
				await settings.save(change, caller.userId, now())
				return { status: 200, body: await present() }
			},
		}),
	]
}
