// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the client may ask, by hand after the description that Telnyx publishes of its interface (version 2.0.0 of
// 2026-07-16, team-telnyx/openapi): paths, parameters, the largest pages, and the statuses that are described.

type Check = (value: string) => boolean

export interface Operation {
	/** Below `/v2`. */
	path: RegExp
	query: Readonly<Record<string, Check>>
	required?: readonly string[]
	/** Described errors, and whether their bodies are. */
	errors: Readonly<Record<number, 'errors' | 'no body'>>
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const isTime: Check = (value) => TIME.test(value) && !Number.isNaN(Date.parse(value))
const isAny: Check = (value) => value !== ''

function pages(max: number): Operation['query'] {
	const within = (most: number): Check => (value) => /^[1-9]\d{0,6}$/.test(value) && Number(value) <= most
	return { 'page[number]': within(2 ** 31), 'page[size]': within(max) }
}

export const OPERATIONS = {
	balance: { path: /^\/balance$/, query: {}, errors: { 401: 'errors', 403: 'errors', 422: 'errors', 500: 'errors', 503: 'errors' } },
	connections: { path: /^\/connections$/, query: pages(250), errors: { 400: 'errors', 401: 'errors', 403: 'errors' } },
	connection: { path: /^\/connections\/[^/]+$/, query: {}, errors: { 400: 'errors', 401: 'errors', 403: 'errors', 404: 'errors' } },
	profile: { path: /^\/outbound_voice_profiles\/[^/]+$/, query: {}, errors: { 401: 'no body', 404: 'no body', 422: 'no body' } },
	numbers: {
		path: /^\/phone_numbers\/slim$/,
		query: { ...pages(250), 'filter[status]': (value) => ['active', 'deleted', 'emergency-only', 'port-failed', 'port-pending', 'ported-out', 'ported-out-pending', 'provision-failed', 'provision-pending', 'purchase-failed', 'purchase-pending'].includes(value), 'filter[connection_id]': isAny },
		errors: { 400: 'errors', 401: 'errors', 404: 'errors', 422: 'errors', 500: 'errors' },
	},
	verified: { path: /^\/verified_numbers$/, query: pages(250), errors: { 400: 'errors', 401: 'errors', 422: 'errors' } },
	lookup: { path: /^\/number_lookup\/%2B[1-9]\d{1,14}$/, query: { type: (value) => ['carrier', 'caller-name'].includes(value) }, errors: { 422: 'errors' } },
	records: {
		path: /^\/detail_records$/,
		query: { ...pages(50), 'filter[record_type]': (value) => value === 'sip-trunking', 'filter[started_at][gte]': isTime, 'filter[started_at][lt]': isTime },
		required: ['filter[record_type]'],
		errors: { 400: 'errors' },
	},
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS

/** What is asked for, and what is wrong with how it is. */
export function recognise(method: string, url: URL): { name: OperationName | undefined, wrong: string[] } {
	const below = url.pathname.startsWith('/v2/') ? url.pathname.slice(3) : undefined
	const found = (Object.entries(OPERATIONS) as [OperationName, Operation][]).find(([, { path }]) => below !== undefined && path.test(below))
	if (method !== 'GET' || found === undefined) {
		return { name: undefined, wrong: [`${method} ${url.pathname}`] }
	}
	const [name, { query, required = [] }] = found
	return {
		name,
		wrong: [
			...[...url.searchParams].filter(([key, value]) => query[key]?.(value) !== true).map(([key, value]) => `${name}: ${key}=${value}`),
			...required.filter((key) => !url.searchParams.has(key)).map((key) => `${name}: no ${key}`),
		],
	}
}
