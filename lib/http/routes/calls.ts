// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallingUser } from '../../calls/call-rules.ts'
import type { CallService } from '../../calls/call-service.ts'
import type { CallStore } from '../../calls/ports.ts'
import type { Settings } from '../../policy/settings.ts'
import type { Route, RouteContext } from '../route.ts'

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { readNumber } from '../../calls/number-input.ts'
import { writeCallCsv } from '../call-csv.ts'
import { allPages, CSV_PAGE, csvHeaders } from '../csv.ts'
import { presentCall } from '../presenters.ts'
import { inField, parse, route, TextStream } from '../route.ts'
import { CallEventsSchema, CallParamsSchema, CallSchema, CallStatusQuerySchema, CallWishSchema, HistoryQuerySchema, HistorySchema, IdempotencyKeySchema } from '../schemas.ts'

export interface CallRoutesOptions {
	calls: CallService
	store: CallStore
	/** The same for whoever looks back, and need not see what was stored in the last seconds. */
	pastCalls: Pick<CallStore, 'history'>
	/** How the numbers are read that a user types. */
	readingOf: (userId: string) => Promise<Pick<Settings, 'homeCountry'>>
	/** With the groups, from Nextcloud, and what the user has chosen. */
	callingUser: (userId: string) => Promise<CallingUser>
}

const IdempotencyHeaders = z.object({ 'idempotency-key': IdempotencyKeySchema.optional() })

export function callRoutes({ calls, store, pastCalls, readingOf, callingUser }: CallRoutesOptions): Route[] {
	/** For routes that decide by ownership alone: Nextcloud is not asked. */
	const owner = ({ caller }: RouteContext<unknown, unknown, unknown>): CallingUser => ({ id: caller.userId, groups: [] })
	return [
		route({
			method: 'post',
			path: '/call',
			right: 'user',
			summary: 'Ring the user’s own phone, and when it is picked up call the destination',
			headers: IdempotencyHeaders,
			body: CallWishSchema,
			answer: { status: 202, schema: CallSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'calling_not_permitted', 'account_locked', 'already_in_call', 'invalid_number', 'emergency_number', 'destination_not_allowed', 'caller_id_not_allowed', 'no_device', 'idempotency_key_reused', 'call_erased', 'rate_limited', 'limit_reached', 'switch_unavailable', 'trunk_unavailable', 'nextcloud_unavailable', 'shutting_down'],
			handle: async ({ caller, body, request }) => {
				const key = parse(IdempotencyHeaders, { 'idempotency-key': request.get('Idempotency-Key') }, '')?.['idempotency-key']
				const wish = { to: body.to, deviceId: body.device, callerId: body.callerId, note: body.note }
				const bodyHash = createHash('sha256').update(JSON.stringify(wish)).digest('hex')
				const user = await callingUser(caller.userId)
				const call = await calls.place(user, wish, key, bodyHash)
				return { status: 202, body: presentCall(call), headers: { Location: `/call-status/${call.uuid}` } }
			},
		}),
		route({
			method: 'get',
			path: '/call-status/{uuid}',
			right: 'user',
			summary: 'A call as it is now, or as soon as it has changed',
			params: CallParamsSchema,
			query: CallStatusQuerySchema,
			answer: { status: 200, schema: CallSchema },
			refusals: ['not_found'],
			handle: async (context) => {
				const { params: { uuid }, query: { version, wait }, signal } = context
				const call = version === undefined || wait === undefined || wait === 0
					? await calls.find(owner(context), uuid)
					: await calls.waitForChange(owner(context), uuid, version, wait * 1000, signal)
				return { status: 200, body: presentCall(call) }
			},
		}),
		route({
			method: 'delete',
			path: '/call/{uuid}',
			right: 'user',
			summary: 'Hang up; the server keeps at it until both legs are gone',
			params: CallParamsSchema,
			answer: { status: 202, schema: CallSchema },
			refusals: ['csrf', 'not_found'],
			handle: async (context) => ({ status: 202, body: presentCall(await calls.hangUp(owner(context), context.params.uuid)) }),
		}),
		route({
			method: 'get',
			path: '/call/{uuid}/events',
			right: 'user',
			summary: 'What happened to a call, in order',
			params: CallParamsSchema,
			answer: { status: 200, schema: CallEventsSchema },
			refusals: ['not_found'],
			handle: async (context) => {
				const { uuid } = await calls.find(owner(context), context.params.uuid)
				const log = await store.log(uuid)
				return { status: 200, body: log.map((entry) => ({ ...entry, at: entry.at.toISOString() })) }
			},
		}),
		route({
			method: 'get',
			path: '/call-history',
			right: 'user',
			summary: 'The user’s own calls, newest first; as text/csv all of them, whatever the limit',
			query: HistoryQuerySchema,
			answer: { status: 200, schema: HistorySchema, alsoAs: 'text/csv' },
			refusals: ['invalid_number'],
			handle: async ({ caller, query, request, signal }) => {
				const { status, outcome, number, ...rest } = query
				const reading = number === undefined ? undefined : await readingOf(caller.userId)
				const wanted = {
					...rest,
					statuses: status,
					outcomes: outcome,
					number: number === undefined || reading === undefined ? undefined : inField('number', () => readNumber(number, reading)).e164,
				}
				if (request.accepts(['application/json', 'text/csv']) === 'text/csv') {
					const pages = allPages((cursor) => pastCalls.history(caller.userId, { ...wanted, limit: CSV_PAGE, cursor }), wanted.cursor, signal)
					return { status: 200, headers: csvHeaders('calls.csv'), body: new TextStream(writeCallCsv(pages)) }
				}
				// On the first page stands the call that was just made.
				const { items, nextCursor } = await (wanted.cursor === undefined ? store : pastCalls).history(caller.userId, wanted)
				return { status: 200, body: { items: items.map(presentCall), nextCursor: nextCursor ?? null } }
			},
		}),
	]
}
