// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Telnyx: its REST interface, version 2. Of what it answers only the fields that are named here are ever looked at: some
// answers hold SIP passwords.

import type { Verdict } from '../calls/call.ts'
import type { CarrierFault, CarrierHealth, CarrierLimits, CostRecord, ExplainFailure, LineType, NumberFacts, SipFailure, TrunkProvider } from '../calls/trunk-provider.ts'
import type { Money } from '../policy/rates.ts'
import type { ApiFault } from './api-client.ts'
import type { ProviderKind } from './index.ts'
import type { Known } from './kept.ts'

import { z } from 'zod'
import { microsOf } from '../policy/decimal.ts'
import { ApiClient, ApiError } from './api-client.ts'
import { Kept } from './kept.ts'
import { NumberLookups } from './number-lookups.ts'

const BASE_URL = 'https://api.telnyx.com'
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
/** What the daily limit and the rates of a profile are in. */
const CURRENCY = 'USD'
/** Of one list; more pages than these are a server that counts wrongly. */
const MOST_PAGES = 200

/** Beyond 2^53 a number would be another one. */
const id = z.string().min(1).max(64)
const e164 = z.string().regex(/^\+[1-9]\d{1,14}$/)
const country = z.string().regex(/^[A-Z]{2}$/)
const currency = z.string().regex(/^[A-Z]{3}$/)
const micros = z.unknown().transform((amount, context) => microsOf(amount) ?? context.addIssue('Not an amount') ?? z.NEVER)
const orNothing = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().catch(undefined)

const Balance = z.object({ data: z.object({ available_credit: micros, currency }) })
const ConnectionData = z.object({ id, active: z.boolean(), outbound_voice_profile_id: orNothing(id) })
const Profile = z.object({
	data: z.object({
		enabled: orNothing(z.boolean()),
		whitelisted_destinations: orNothing(z.array(country)),
		daily_spend_limit: z.unknown(),
		daily_spend_limit_enabled: orNothing(z.boolean()),
		concurrent_call_limit: orNothing(z.int().min(0)),
		max_destination_rate: z.unknown(),
	}),
})
const Page = z.object({ data: z.array(z.unknown()), meta: orNothing(z.object({ total_pages: orNothing(z.int()) })) })
const NumberRow = z.object({ phone_number: e164 })
/** Not in Telnyx’ own description, though its filter knows the type. */
const RecordRow = z.object({ id: z.union([z.string().min(1), z.int()]).transform(String), sip_call_id: z.string().min(1).max(256), cost: z.unknown(), currency: currency.catch(CURRENCY) })

const Lookup = z.object({
	data: z.object({
		phone_number: e164,
		country_code: orNothing(country),
		carrier: orNothing(z.object({ name: orNothing(z.string().max(256)), type: orNothing(z.string()) })),
		portability: orNothing(z.object({ ported_status: orNothing(z.string()) })),
	}),
})
const LINE_TYPES: Readonly<Record<string, LineType>> = { 'fixed line': 'fixed', mobile: 'mobile', voip: 'voip', 'toll free': 'toll_free', 'premium rate': 'premium', 'shared cost': 'shared_cost' }

/** Error codes of keys that are wrong, revoked or expired, and of accounts that are out of money, blocked, or not verified enough. */
const ERROR_FAULTS: Readonly<Record<string, ApiFault>> = {
	...Object.fromEntries(['10009', '20001', '20002', '20003', '20006', '20008'].map((code) => [code, 'key_refused'])),
	...Object.fromEntries(['20012', '20013', '20014', '20016', '20017', '20100'].map((code) => [code, 'account_blocked'])),
}

type Connection = z.output<typeof ConnectionData>
type ProfileData = z.output<typeof Profile>['data']

/**
 * What Telnyx writes into the reason phrase of a refusal. The person called has no part in any of them, though FreeSWITCH
 * calls most of them CALL_REJECTED.
 */
export const TELNYX_CODES: Readonly<Record<string, Verdict>> = codesOf({
	trunk_limit: ['D1', 'D2', 'D3', 'D9', 'D22', 'P05'],
	trunk_disabled: ['D7', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D38'],
	trunk_blocked: ['D19'],
	barred: ['D24', 'D41', 'D59', 'D60', 'D61', 'TM1'],
	trunk_refused: ['D25', 'D26', 'D27', 'D28', 'D29'],
	caller_id_refused: ['D8', 'D35', 'D36', 'D51'],
	no_route: ['D40', 'PE', 'TV1'],
	media: ['B3'],
})

function codesOf(table: Partial<Record<Verdict, string[]>>): Record<string, Verdict> {
	return Object.fromEntries(Object.entries(table).flatMap(([verdict, codes]) => codes.map((code) => [code, verdict as Verdict])))
}

export const telnyx: ProviderKind = {
	displayName: 'Telnyx',
	hasApi: true,
	open: ({ apiKey, baseUrl, connectionId, lookup = false }, { logger, now, ...limits }) => {
		const client = new ApiClient({ ...limits, baseUrl: versioned(baseUrl ?? BASE_URL), authorization: `Bearer ${apiKey}`, faultOf: (code) => ERROR_FAULTS[code], logger, now })
		return new Telnyx(client, { connectionId: connectionId ?? undefined, mayLookUp: lookup }, now)
	},
}

/** With or without `/v2`, as both are written. */
function versioned(baseUrl: string): string {
	return `${baseUrl.replace(/\/+$/, '').replace(/\/v2$/, '')}/v2`
}

class Telnyx implements TrunkProvider {
	readonly kind = 'telnyx'
	readonly displayName = telnyx.displayName
	readonly #client: ApiClient
	readonly #connectionId: string | undefined
	readonly #balance: Kept<Money>
	readonly #connection: Kept<Connection | undefined>
	readonly #profile: Kept<ProfileData | undefined>
	readonly #callerIds: Kept<ReadonlySet<string>>

	readonly lookup: TrunkProvider['lookup']

	constructor(client: ApiClient, { connectionId, mayLookUp }: { connectionId: string | undefined, mayLookUp: boolean }, now: () => number) {
		this.#client = client
		this.#connectionId = connectionId
		this.#balance = new Kept({ load: () => this.#loadBalance(), freshMs: MINUTE_MS, now })
		this.#connection = new Kept({ load: () => this.#loadConnection(), freshMs: 5 * MINUTE_MS, now })
		this.#profile = new Kept({ load: () => this.#loadProfile(), freshMs: 10 * MINUTE_MS, now })
		const lookups = new NumberLookups({ load: (number) => this.#lookUp(number), now })
		this.lookup = mayLookUp ? (number) => lookups.look(number) : undefined
		this.#callerIds = new Kept({ load: () => this.#loadCallerIds(), freshMs: 10 * MINUTE_MS, now })
	}

	async health(): Promise<CarrierHealth> {
		const [balance, connection] = await Promise.all([this.#balance.look(), this.#connection.look()])
		const profile = await this.#profile.look()
		return {
			faults: faultsOf(balance, connection, profile),
			credit: balance.value,
			latencyMs: this.#client.latencyMs,
		}
	}

	limits(): CarrierLimits | undefined {
		const profile = this.#profile.peek()
		if (profile === undefined) {
			return undefined
		}
		const dailySpend = profile.daily_spend_limit_enabled === true ? usd(profile.daily_spend_limit) : undefined
		const maxPerMinute = usd(profile.max_destination_rate)
		return {
			...(profile.whitelisted_destinations ? { countries: profile.whitelisted_destinations } : {}),
			...(dailySpend === undefined ? {} : { dailySpend }),
			...(typeof profile.concurrent_call_limit === 'number' ? { concurrentCalls: profile.concurrent_call_limit } : {}),
			...(maxPerMinute === undefined ? {} : { maxPerMinute }),
		}
	}

	async callerIds(): Promise<ReadonlySet<string> | undefined> {
		return (await this.#callerIds.look()).value
	}

	async* costs(from: Date, to: Date): AsyncIterable<CostRecord> {
		// By `started_at`: records of this type have no `created_at`, and a filter by it finds nothing, without a word.
		const filter = { 'filter[record_type]': 'sip-trunking', 'filter[started_at][gte]': from.toISOString(), 'filter[started_at][lt]': to.toISOString() }
		for await (const row of this.#rows('/detail_records', filter, 50, RecordRow)) {
			const cost = microsOf(row.cost)
			yield { id: row.id, sipCallId: row.sip_call_id, cost: cost === undefined ? undefined : { micros: cost, currency: row.currency } }
		}
	}

	explainFailure({ phrase = '' }: SipFailure): ReturnType<ExplainFailure> {
		const code = /\b(?:[BDP]\d{1,2}|T[MV]\d|PE\d*)\b/.exec(phrase)?.[0]
		// Of these there are many, and all say the same.
		const verdict = code === undefined ? undefined : TELNYX_CODES[code.startsWith('PE') ? 'PE' : code]
		return code === undefined || verdict === undefined ? undefined : { verdict, code }
	}

	async #lookUp(number: string): Promise<NumberFacts> {
		// Without a type neither the carrier nor the porting is told.
		const { data: { country_code: country, carrier, portability } } = await this.#client.get(Lookup, `/number_lookup/${encodeURIComponent(number)}`, { type: 'carrier' })
		const status = portability?.ported_status
		return {
			...(country ? { country } : {}),
			...(carrier?.type && carrier.type !== 'unknown' ? { lineType: LINE_TYPES[carrier.type] ?? 'other' } : {}),
			...(carrier?.name ? { carrier: carrier.name } : {}),
			...(status === 'Y' || status === 'N' ? { isPorted: status === 'Y' } : {}),
		}
	}

	async #loadBalance(): Promise<Money> {
		const { data } = await this.#client.get(Balance, '/balance')
		return { micros: data.available_credit, currency: data.currency }
	}

	/** The one that is named, else the only one that is there. */
	async #loadConnection(): Promise<Connection | undefined> {
		if (this.#connectionId !== undefined) {
			return (await this.#client.get(z.object({ data: ConnectionData }), `/connections/${encodeURIComponent(this.#connectionId)}`)).data
		}
		const { data } = await this.#client.get(z.object({ data: z.array(ConnectionData) }), '/connections', { 'page[number]': '1', 'page[size]': '2' })
		return data.length === 1 ? data[0] : undefined
	}

	async #loadProfile(): Promise<ProfileData | undefined> {
		const { value: connection, fault } = await this.#connection.look()
		if (connection === undefined && fault !== undefined) {
			throw new ApiError(fault, 'The trunk itself could not be asked for')
		}
		const profileId = connection?.outbound_voice_profile_id
		return profileId === undefined || profileId === null ? undefined : (await this.#client.get(Profile, `/outbound_voice_profiles/${encodeURIComponent(profileId)}`)).data
	}

	async #loadCallerIds(): Promise<ReadonlySet<string>> {
		const numbers = new Set<string>()
		for await (const { phone_number: number } of this.#rows('/phone_numbers/slim', { 'filter[status]': 'active' }, 250, NumberRow)) {
			numbers.add(number)
		}
		for await (const { phone_number: number } of this.#rows('/verified_numbers', {}, 25, NumberRow)) {
			numbers.add(number)
		}
		return numbers
	}

	/**
	 * All rows of a list, page by page.
	 *
	 * @yields {Row} those that are as they should be
	 */
	async* #rows<Row>(path: string, filter: Record<string, string>, size: number, schema: z.ZodType<Row>): AsyncIterable<Row> {
		for (let number = 1, pages = 1; number <= Math.min(pages, MOST_PAGES); number++) {
			const { data, meta } = await this.#client.get(Page, path, { ...filter, 'page[number]': String(number), 'page[size]': String(size) })
			pages = meta?.total_pages ?? pages
			// Whoever sends more than was asked for only keeps us busy.
			for (const row of data.slice(0, size)) {
				const { success, data: fitting } = schema.safeParse(row)
				if (success) {
					yield fitting
				}
			}
		}
	}
}

const BLOCKING: ReadonlySet<ApiFault> = new Set(['unreachable', 'limited', 'key_refused', 'account_blocked'])

/** When nobody answers, or nobody lets us in, nothing else is known: then it is all that is told. */
function faultsOf(balance: Known<Money>, connection: Known<Connection | undefined>, profile: Known<ProfileData | undefined>): CarrierFault[] {
	const general = [balance.fault, connection.fault, profile.fault].find((fault) => fault !== undefined && BLOCKING.has(fault))
	if (general !== undefined) {
		return [general as CarrierFault]
	}
	return [
		...(balance.fault !== undefined ? ['balance_not_told' as const] : []),
		...(balance.value !== undefined && BigInt(balance.value.micros) <= 0n ? ['no_credit' as const] : []),
		...trunkFaults(connection, profile),
	]
}

function trunkFaults({ value: connection }: Known<Connection | undefined>, { value: profile, fault }: Known<ProfileData | undefined>): CarrierFault[] {
	if (connection === undefined) {
		return ['trunk_unknown']
	}
	if (!connection.active) {
		return ['trunk_off']
	}
	if (profile === undefined) {
		return fault === undefined ? ['no_profile'] : []
	}
	return profile.enabled === false ? ['profile_off'] : profile.daily_spend_limit_enabled === true ? [] : ['no_spend_limit']
}

function usd(amount: unknown): Money | undefined {
	const micros = microsOf(amount)
	return micros === undefined ? undefined : { micros, currency: CURRENCY }
}
