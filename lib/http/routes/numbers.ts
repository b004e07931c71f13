// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallingUser } from '../../calls/call-rules.ts'
import type { Explanation } from '../../calls/explain.ts'
import type { NumberFacts } from '../../calls/trunk-provider.ts'
import type { SampleNumber } from '../../numbering/sample-numbers.ts'
import type { SettingRules } from '../../policy/settings-schema.ts'
import type { SavedSettings, Settings } from '../../policy/settings.ts'
import type { Route } from '../route.ts'
import type { ExplanationJson } from '../schemas.ts'

import { z } from 'zod'
import { readNumber } from '../../calls/number-input.ts'
import { SipCallError } from '../../errors.ts'
import { settingsSchema, wholeSettingsSchema } from '../../policy/settings-schema.ts'
import { isSecretSetting } from '../../policy/settings.ts'
import { parse, route } from '../route.ts'
import { country, ExplanationSchema, text } from '../schemas.ts'

export interface NumberRoutesOptions {
	explain: (user: CallingUser, to: string, settings: Settings) => Promise<Explanation>
	settings: () => Settings
	samples: (homeCountry: string | null) => SampleNumber[]
	/** With the groups, from Nextcloud, and what the user has chosen. */
	callingUser: (userId: string) => Promise<CallingUser>
	settingRules: SettingRules
	/** What the phone company knows of a number, E.164; undefined = it is not to be asked. */
	lookUp: (e164: string) => Promise<LookUp | undefined>
	/** Counts a question that is paid for; throws `rate_limited`. */
	guard: (adminId: string) => Promise<void>
}

type LookUp = { facts: NumberFacts } | { fault: z.infer<typeof LookUpSchema>['fault'] }

const LookUpSchema = z.object({
	e164: z.string(),
	facts: z.object({
		country: z.string().optional(),
		lineType: z.enum(['fixed', 'mobile', 'voip', 'toll_free', 'premium', 'shared_cost', 'other']).optional(),
		carrier: z.string().optional().describe('Whose number it is now'),
		isPorted: z.boolean().optional().describe('Whether another company gave it out'),
	}).optional().describe('What is left out was not told'),
	fault: z.enum(['unreachable', 'limited', 'key_refused', 'account_blocked', 'not_permitted', 'not_found', 'invalid']).optional().describe('Why nothing was told'),
}).meta({ id: 'NumberLookUp' })

export type NumberLookUpJson = z.infer<typeof LookUpSchema>

const Wish = z.strictObject({ to: text(400) }).meta({ id: 'ExplainWish' })

const SamplesSchema = z.array(z.object({
	kind: z.enum(['mobile', 'foreign', 'premium']),
	e164: z.string(),
})).meta({ id: 'SampleNumbers' })

export type SampleNumberJson = z.infer<typeof SamplesSchema>[number]

export function numberRoutes({ explain, settings, samples, callingUser, settingRules, lookUp, guard }: NumberRoutesOptions): Route[] {
	// What nobody tries out here: connections and secrets.
	const Policy = settingsSchema(settingRules).omit({ freeswitch: true, oauth: true, cdrSecret: true, metricsToken: true, provider: true }).partial()
	const Whole = wholeSettingsSchema(settingRules)
	return [
		route({
			method: 'post',
			path: '/numbers/explain',
			right: 'user',
			summary: 'What would happen if this number were called; nothing is dialled or counted',
			body: Wish,
			answer: { status: 200, schema: ExplanationSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'rate_limited', 'nextcloud_unavailable'],
			handle: async ({ caller, body: { to } }) => {
				const user = await callingUser(caller.userId)
				return { status: 200, body: present(to, await explain(user, to, settings())) }
			},
		}),
		route({
			method: 'post',
			path: '/admin/policy/explain',
			right: 'admin',
			summary: 'The same as any user, and with settings that are not saved yet',
			body: z.strictObject({ policy: Policy.optional(), userId: z.string().min(1).max(256), to: text(400) }).meta({ id: 'PolicyExplainWish' }),
			answer: { status: 200, schema: ExplanationSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'forbidden', 'rate_limited', 'nextcloud_unavailable'],
			handle: async ({ body: { policy = {}, userId, to } }) => {
				const change: SavedSettings = Object.fromEntries(Object.entries(policy).filter(([key, value]) => value !== undefined && !isSecretSetting(key)))
				const tried = { ...settings(), ...change as Partial<Settings> }
				parse(Whole, tried, 'policy.')
				return { status: 200, body: present(to, await explain(await callingUser(userId), to, tried)) }
			},
		}),
		route({
			method: 'post',
			path: '/admin/numbers/lookup',
			right: 'admin',
			summary: 'What the phone company knows of a number. It charges for each; what was told is kept for 30 days. Only with `provider.lookup`',
			body: Wish,
			answer: { status: 200, schema: LookUpSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'forbidden', 'invalid_number', 'wrong_state', 'rate_limited', 'nextcloud_unavailable'],
			handle: async ({ caller, body: { to } }) => {
				const { e164 } = readNumber(to, settings())
				if (settings().provider.lookup !== true) {
					throw new SipCallError('wrong_state', 'Nobody is asked about numbers: it is not switched on, because the phone company charges for each. An administrator can do that on the page Connection.')
				}
				await guard(caller.userId)
				return { status: 200, body: { e164, ...await lookUp(e164) } }
			},
		}),
		route({
			method: 'get',
			path: '/admin/policy/samples',
			right: 'admin',
			summary: 'Numbers to try a policy on: a mobile and a premium one of the home country, and one abroad; for explaining, never for dialling',
			query: z.object({ homeCountry: country.or(z.literal('')).optional().describe('Instead of the saved one; empty = none') }),
			answer: { status: 200, schema: SamplesSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ query: { homeCountry = settings().homeCountry } }) => ({ status: 200, body: samples(homeCountry === '' ? null : homeCountry) }),
		}),
	]
}

function present(input: string, { number, refusal, callerId, gateway, perMinute, confirm }: Explanation): ExplanationJson {
	return {
		input,
		...(number === undefined ? {} : { e164: number.e164 }),
		display: number?.display ?? input.trim(),
		...(number?.extension === undefined ? {} : { extension: number.extension }),
		...(number?.country === undefined ? {} : { country: number.country }),
		...(number?.type === undefined ? {} : { type: number.type }),
		allowed: refusal === undefined,
		...(refusal === undefined ? {} : { refusal: refusal.extra?.refusal as ExplanationJson['refusal'] ?? { code: refusal.code, message: refusal.message, fixableBy: 'user' } }),
		...(callerId === undefined ? {} : { callerId }),
		...(gateway === undefined ? {} : { gateway }),
		...(perMinute === undefined ? {} : { estimatedRate: perMinute }),
		...(confirm === undefined ? {} : { confirm }),
	}
}
