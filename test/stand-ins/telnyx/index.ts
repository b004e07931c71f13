// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A Telnyx for tests: answers what the client may ask as the real one does, keeps what was asked wrongly, and can be as
// hostile as a network.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OperationName } from './operations.ts'

import { createServer } from 'node:http'
import { recognise } from './operations.ts'

/** How a question may be answered instead. */
export type Trouble
	= | { kind: 'status', status: number, code?: string, headers?: Record<string, string>, body?: string }
		/** Takes the question and never answers. */
		| { kind: 'silence' }
		/** Ends the connection in the middle of the answer. */
		| { kind: 'cut' }
		/** 200, with this as the whole answer. */
		| { kind: 'text', text: string, type?: string }
		/** Never stops. */
		| { kind: 'endless' }
		| { kind: 'redirect', to: string }

export interface TelnyxData {
	balance: Record<string, unknown>
	connections: Record<string, unknown>[]
	profile: Record<string, unknown>
	numbers: string[]
	verified: string[]
	/** Of every number that is looked up. */
	lookup: Record<string, unknown>
	records: Record<string, unknown>[]
	/** Of each answer. */
	headers: Record<string, string>
}

export interface TelnyxStandIn {
	readonly url: string
	readonly data: TelnyxData
	/** What was asked, oldest first. */
	readonly asked: { name: OperationName | undefined, path: string, authorization: string | undefined }[]
	/** What the description does not allow. */
	readonly wrong: string[]
	/** Answers so instead, as long as it is set. */
	trouble: ((name: OperationName) => Trouble | undefined) | undefined
	stop: () => Promise<void>
}

export const API_KEY = 'KEY0123456789ABCDEF_standIn'

const RESULTS: Record<OperationName, (data: TelnyxData, url: URL) => unknown> = {
	balance: ({ balance }) => ({ data: balance }),
	connections: ({ connections }, url) => page(connections, url),
	connection: ({ connections }, url) => {
		const found = connections.find(({ id }) => id === decodeURIComponent(url.pathname.split('/').at(-1) ?? ''))
		return found === undefined ? undefined : { data: found }
	},
	profile: ({ profile }, url) => profile.id === url.pathname.split('/').at(-1) ? { data: profile } : undefined,
	numbers: ({ numbers }, url) => page(numbers.map((number, at) => ({ id: `12933842610757314${at}`, record_type: 'phone_number_slim', phone_number: number, status: 'active', external_pin: '4711' })), url),
	verified: ({ verified }, url) => page(verified.map((number) => ({ record_type: 'verified_number', phone_number: number, verified_at: '2026-09-14T17:03:32.965812' })), url),
	lookup: ({ lookup }, url) => ({ data: { record_type: 'number_lookup', phone_number: decodeURIComponent(url.pathname.split('/').at(-1) ?? ''), fraud: null, ...lookup } }),
	records: ({ records }, url) => {
		const time = (name: string) => Date.parse(url.searchParams.get(`filter[started_at][${name}]`) ?? '')
		return page(records.filter(({ started_at: at }) => !(Date.parse(String(at)) < time('gte')) && !(Date.parse(String(at)) >= time('lt'))), url)
	},
}

export function telnyxData(): TelnyxData {
	return {
		balance: { record_type: 'balance', balance: '300.00', credit_limit: '100.00', available_credit: '400.00', pending: '10.00', currency: 'USD' },
		connections: [{ id: '1293384261075731461', record_type: 'credential_connection', active: true, connection_name: 'office', user_name: 'office', password: 'a-sip-password', outbound_voice_profile_id: '1293384261075731499' }],
		profile: { id: '1293384261075731499', record_type: 'outbound_voice_profile', name: 'office', enabled: true, whitelisted_destinations: ['DE', 'FR'], daily_spend_limit: '100.00', daily_spend_limit_enabled: true, concurrent_call_limit: 10, max_destination_rate: 0.5, traffic_type: 'conversational' },
		numbers: ['+4930123456'],
		verified: ['+498912345'],
		lookup: { country_code: 'DE', national_format: '030 1234567', carrier: { name: 'A company', type: 'fixed line', error_code: null }, portability: { line_type: 'fixed line', ported_status: 'Y', lrn: '' }, caller_name: null },
		records: [],
		headers: {},
	}
}

export async function startTelnyx(): Promise<TelnyxStandIn> {
	const server = createServer((request, response) => answer(request, response))
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve)
	})
	const standIn: TelnyxStandIn = {
		url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
		data: telnyxData(),
		asked: [],
		wrong: [],
		trouble: undefined,
		stop: async () => {
			server.close()
			server.closeAllConnections()
		},
	}

	function answer(request: IncomingMessage, response: ServerResponse): void {
		const url = new URL(request.url ?? '/', standIn.url)
		const { name, wrong } = recognise(request.method ?? '', url)
		standIn.asked.push({ name, path: url.pathname, authorization: request.headers.authorization })
		standIn.wrong.push(...wrong)
		if (name === undefined || wrong.length > 0) {
			return refuse(response, { kind: 'status', status: 400, code: '10015' })
		}
		const trouble = standIn.trouble?.(name)
		if (trouble !== undefined) {
			return makeTrouble(response, trouble)
		}
		if (request.headers.authorization !== `Bearer ${API_KEY}`) {
			return refuse(response, { kind: 'status', status: 401, code: '10009' })
		}
		const result = RESULTS[name](standIn.data, url)
		if (result === undefined) {
			return refuse(response, { kind: 'status', status: 404, code: '10005' })
		}
		response.writeHead(200, { 'Content-Type': 'application/json', ...standIn.data.headers }).end(JSON.stringify(result))
	}
	return standIn
}

function page(rows: readonly unknown[], url: URL): unknown {
	const number = Number(url.searchParams.get('page[number]') ?? 1)
	const size = Number(url.searchParams.get('page[size]') ?? 20)
	return {
		data: rows.slice((number - 1) * size, number * size),
		meta: { page_number: number, page_size: size, total_pages: Math.max(1, Math.ceil(rows.length / size)), total_results: rows.length },
	}
}

function refuse(response: ServerResponse, { status, code, headers = {}, body }: Extract<Trouble, { kind: 'status' }>): void {
	const errors = code === undefined ? '' : JSON.stringify({ errors: [{ code, title: 'An error', detail: 'Words that quote +4930123456.', source: { pointer: '/' }, meta: { url: 'https://errors.example' } }] })
	response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body ?? errors)
}

function makeTrouble(response: ServerResponse, trouble: Trouble): void {
	switch (trouble.kind) {
		case 'status':
			return refuse(response, trouble)
		case 'silence':
			return
		case 'cut':
			response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }).write('{"data":{', () => response.destroy())
			return
		case 'text':
			response.writeHead(200, { 'Content-Type': trouble.type ?? 'application/json' }).end(trouble.text)
			return
		case 'redirect':
			response.writeHead(302, { Location: trouble.to }).end()
			return
		case 'endless': {
			const more = ' '.repeat(65_536)
			const write = () => {
				while (!response.destroyed && response.write(more)) {
					// As fast as it is taken.
				}
			}
			response.writeHead(200, { 'Content-Type': 'application/json' })
			response.on('drain', write)
			write()
		}
	}
}
