// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What each setting may be. The names and meanings are those of the outer contract, section 6.

import type { CountryCode } from 'libphonenumber-js/max'
import type { Weekday } from './calendar.ts'
import type { Money } from './rates.ts'
import type { SavedSettings, Settings } from './settings.ts'

import { getCountries } from 'libphonenumber-js/max'
import { z } from 'zod'
import { isApiAddress } from './api-address.ts'
import { isTimeZone, WEEKDAYS } from './calendar.ts'
import { MOST_RATES } from './rate-table.ts'
import { DEFAULT_SETTINGS } from './settings.ts'

/** What may stand in a dial string is the switch's matter, and which companies there are lib/provider's: they say so themselves. */
export interface SettingRules {
	isProviderKind: (kind: string) => boolean
	isDialTemplate: (text: string) => boolean
	isGatewayName: (text: string) => boolean
	isDomain: (text: string) => boolean
}

const COUNTRIES: ReadonlySet<string> = new Set(getCountries())
const TYPES = ['FIXED_LINE', 'MOBILE', 'FIXED_LINE_OR_MOBILE', 'TOLL_FREE', 'PREMIUM_RATE', 'SHARED_COST', 'VOIP', 'PERSONAL_NUMBER', 'PAGER', 'UAN', 'VOICEMAIL'] as const

/** Every setting of the outer contract. Those that nothing acts on yet can do no harm by that; docs/admin/settings.md names them. */
export function settingsSchema({ isProviderKind, isDialTemplate, isGatewayName, isDomain }: SettingRules) {
	// As people type it into Nextcloud's form.
	const country = z.string().trim().toUpperCase().refine((code): code is CountryCode => COUNTRIES.has(code), 'Not an ISO 3166 country code such as DE')
	const prefix = z.string().regex(/^\+[1-9][0-9]{0,14}$/, 'Not the beginning of an E.164 number such as +4930')
	const days = z.int().min(0).max(36_500)
	const count = (largest: number) => z.int().min(1).max(largest)
	const e164 = z.string().regex(/^\+[1-9][0-9]{6,14}$/, 'Not an E.164 number such as +4930123456')
	// Half a surrogate pair and NUL are what no database takes, and in a name there is no line break either.
	const name = z.string().min(1).max(64).regex(/^\P{Cc}*$/u, 'Control characters are not allowed').refine((text) => text.isWellFormed(), 'Not valid Unicode')
	return z.strictObject({
		homeCountry: country.nullable(),
		allowedCountries: z.array(country).max(300).nullable(),
		allowedTypes: z.array(z.enum(TYPES)),
		allowedPrefixes: z.array(prefix).max(1000),
		deniedPrefixes: z.array(prefix).max(1000),
		allowedGroups: z.array(name).max(100).nullable(),
		callsPerMinute: count(1_000_000),
		callsPerHour: count(1_000_000),
		callsPerDay: count(1_000_000),
		maxConcurrentPerUser: count(1000),
		maxConcurrent: count(10_000),
		maxCallSec: count(86_400),
		sipDialString: z.string().refine(isDialTemplate, 'Not a dial string such as user/{address}@{domain} or sofia/internal/{address}@{domain}'),
		sipDomain: z.string().refine(isDomain, 'Not a host name').nullable(),
		gateways: z.array(z.string().refine(isGatewayName, 'Not a gateway’s name: letters, digits and _ . - only')).min(1).max(5),
		callerIds: z.array(z.strictObject({ number: e164, label: name, groups: z.array(name).optional() })).max(200),
		deviceVerification: z.strictObject({ phone: z.enum(['code', 'none']), sip: z.enum(['none', 'admin']) }),
		ringTimeoutSec: count(300),
		answerTimeoutSec: count(300),
		timeZone: z.string().refine(isTimeZone, 'Not a time zone such as Europe/Berlin'),
		workingHours: workingHours.nullable(),
		maxDistinctPerDay: count(100_000).nullable(),
		lockAfterRefusals: z.strictObject({ count: count(1000), windowMin: count(1440), lockMin: count(100_000) }).nullable(),
		dailySpendLimit: money.nullable(),
		monthlySpendLimit: money.nullable(),
		rates: z.array(z.strictObject({ prefix, perMinute: money, perCall: money.optional() })).max(MOST_RATES),
		confirmAbove: money.nullable(),
		brake: z.strictObject({ from: clock, to: clock, callsPerHour: count(10_000) }).nullable(),
		retention: z.strictObject({ callsDays: days, maskAfterDays: days, auditDays: days }),
		statistics: z.enum(['pseudonymous', 'named']),
		freeswitch: z.strictObject({
			host: z.string().refine(isHost, 'Not a host name or an address'),
			port: z.int().min(1).max(65535).default(DEFAULT_SETTINGS.freeswitch.port),
			user: z.string().regex(/^[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+$/, 'Not of the form name@domain').nullable().default(null),
			password: secret.nullable(),
		}).nullable(),
		oauth: z.strictObject({ clientId: secret, clientSecret: secret }).nullable(),
		provider: z.strictObject({
			kind: z.string().refine(isProviderKind, 'Not a company that SIPCall can ask; generic is any gateway of FreeSWITCH'),
			apiKey: apiKey.optional(),
			baseUrl: z.string().max(1024).refine(isApiAddress, 'Not an https address without a user name and a query').nullable().optional(),
			connectionId: z.string().regex(/^[\w-]{1,64}$/, 'Not an id of a trunk: digits, letters and - only').nullable().optional(),
			lookup: z.boolean().optional(),
		}).nullable(),
		cdrSecret: longSecret.nullable(),
		metricsToken: longSecret.nullable(),
	})
}

const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'Not a time such as 08:00')
const interval = z.strictObject({ from: clock, to: clock.or(z.literal('24:00')) }).refine(({ from, to }) => from < to, 'Ends before it begins; hours past midnight stand in two days')
const workingHours = z.strictObject({
	timeZone: z.string().refine(isTimeZone, 'Not a time zone such as Europe/Berlin'),
	days: z.strictObject(Object.fromEntries(WEEKDAYS.map((day) => [day, z.array(interval).max(10).optional()])) as Record<Weekday, z.ZodOptional<z.ZodArray<typeof interval>>>),
})
const money = z.strictObject({
	micros: z.string().regex(/^(?:0|[1-9]\d{0,17})$/, 'Not a whole number of millionths, as a text'),
	currency: z.string().regex(/^[A-Z]{3}$/, 'Not an ISO 4217 currency such as EUR'),
})

/** The Event Socket knows no escapes: a line break in a password would be a command of its own. */
const secret = z.string().min(1).max(1024).regex(/^\P{Cc}*$/u, 'Control characters are not allowed').refine((text) => text.isWellFormed(), 'Not valid Unicode')
/** What may stand in a header. */
const apiKey = z.string().max(1024).regex(/^[\x21-\x7E]+$/, 'Not a key: no spaces, and no letters beyond A to Z')
/** What a machine sends along with each request; nobody types it. */
const longSecret = secret.min(16, 'Shorter than 16 characters; make one with: openssl rand -base64 32')

function isHost(text: string): boolean {
	const isIpv6 = /^[0-9A-Fa-f:.]{2,45}$/.test(text) && text.includes(':')
	return isIpv6 || /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*$/.test(text)
}

export type SettingsSchema = ReturnType<typeof settingsSchema>

/** The rules between settings, for a whole set of them. */
export function wholeSettingsSchema(rules: SettingRules) {
	return settingsSchema(rules).superRefine((value, context) => {
		// `user/1000` falls back to FreeSWITCH's own domain; other endpoints would dial a host that is not there.
		if (value.sipDialString.includes('{domain}') && !value.sipDialString.startsWith('user/') && value.sipDomain === null) {
			context.addIssue({ code: 'custom', path: ['sipDomain'], message: 'This dial string needs a domain' })
		}
		checkProvider(value.provider, (path, message) => context.addIssue({ code: 'custom', path, message }))
		checkMoney(value, (path, message) => context.addIssue({ code: 'custom', path, message }))
	})
}

/** A company is asked with a key, and a gateway is not asked. */
function checkProvider(provider: SavedSettings['provider'], fault: (path: string[], message: string) => void): void {
	const { kind, apiKey, ...rest } = provider ?? { kind: 'generic' }
	if (kind !== 'generic' && apiKey === undefined) {
		fault(['provider', 'apiKey'], 'Give the key of this company’s interface')
	}
	if (kind === 'generic' && [apiKey, ...Object.values(rest)].some((value) => value !== undefined && value !== null)) {
		fault(['provider', 'kind'], 'A gateway alone has no key and no address')
	}
}

/** Sums are made of amounts of one currency, and a limit without rates could never be reached. */
function checkMoney({ dailySpendLimit, monthlySpendLimit, confirmAbove, rates }: MoneySettings, fault: (path: (string | number)[], message: string) => void): void {
	const amounts: [(string | number)[], Money | null | undefined][] = [
		[['dailySpendLimit'], dailySpendLimit],
		[['monthlySpendLimit'], monthlySpendLimit],
		[['confirmAbove'], confirmAbove],
		...rates.flatMap(({ perMinute, perCall }, at): typeof amounts => [[['rates', at, 'perMinute'], perMinute], [['rates', at, 'perCall'], perCall]]),
	]
	const given = amounts.flatMap(([path, amount]) => amount ? [{ path, currency: amount.currency }] : [])
	for (const { path, currency } of given) {
		if (currency !== given[0]?.currency) {
			fault(path, `Not the currency of the other amounts, ${given[0]?.currency}`)
		}
	}
	if (rates.length === 0) {
		for (const key of ['dailySpendLimit', 'monthlySpendLimit'] as const) {
			if ({ dailySpendLimit, monthlySpendLimit }[key] !== null) {
				fault([key], 'Needs rates: without them nobody knows what a call costs')
			}
		}
	}
}

type MoneySettings = Pick<Settings, 'dailySpendLimit' | 'monthlySpendLimit' | 'confirmAbove' | 'rates'>

/** A word that an admin can read and type in Nextcloud's own form as it is. */
const PLAIN = /^[^\s",[\]{}][^",[\]{}]*$/

/**
 * How a setting stands in Nextcloud's app config: as an admin would type it where that is possible (`DE`, `DE, AT`, `10`),
 * else as JSON. `readSettings` reads it back.
 */
export function settingText(value: unknown): string {
	if (typeof value === 'string' && PLAIN.test(value) && value.trim() === value && parseJson(value) === undefined) {
		return value
	}
	if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && PLAIN.test(item) && item.trim() === item)) {
		const joined = value.join(', ')
		// A group may be named `null` or `10`: as a bare word it would be read as something else.
		return parseJson(joined) === undefined ? joined : JSON.stringify(value)
	}
	return JSON.stringify(value)
}

/**
 * Reads what stands in Nextcloud's app config, written by us or typed by an admin. An emptied field is as if it had
 * never been set: it must not mean "everybody".
 *
 * @param texts by key
 * @return the valid ones, and the keys of those that mean nothing
 */
export function readSettings(texts: Readonly<Record<string, string>>, schema: SettingsSchema): { values: SavedSettings, invalid: string[] } {
	const values: Record<string, unknown> = {}
	const invalid: string[] = []
	for (const [key, text] of Object.entries(texts)) {
		const field = Object.hasOwn(schema.shape, key) ? schema.shape[key as keyof typeof schema.shape] : undefined
		if (field === undefined || text.trim() === '') {
			continue
		}
		const readings = [parseJson(text), text.trim(), text.split(',').map((part) => part.trim()).filter((part) => part !== '')]
		const fitting = readings.map((reading) => field.safeParse(reading)).find(({ success }) => success)
		if (fitting?.success === true) {
			values[key] = fitting.data
		} else {
			invalid.push(key)
		}
	}
	return { values: values as SavedSettings, invalid }
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}
