// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// An admin has one of their own phones rung, and asks how far it came.

import type { CallingUser } from '../../calls/call-rules.ts'
import type { TestCall, TestCalls } from '../../calls/test-calls.ts'
import type { TestCallJson } from '../health-schemas.ts'
import type { Route } from '../route.ts'

import { TestCallParamsSchema, TestCallSchema, TestCallWishSchema } from '../health-schemas.ts'
import { route } from '../route.ts'

export interface TestCallRoutesOptions {
	testCalls: Pick<TestCalls, 'start' | 'find'>
	callingUser: (userId: string) => Promise<CallingUser>
}

export function testCallRoutes({ testCalls, callingUser }: TestCallRoutesOptions): Route[] {
	return [
		route({
			method: 'post',
			path: '/admin/test-call',
			right: 'admin',
			summary: 'Ring a phone of the admin’s own: two beeps, then an echo; the switch ends it 15 seconds after the pick-up',
			body: TestCallWishSchema,
			answer: { status: 202, schema: TestCallSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'not_found', 'no_device', 'already_in_call', 'calling_not_permitted', 'account_locked', 'destination_not_allowed', 'limit_reached', 'rate_limited', 'switch_unavailable', 'trunk_unavailable', 'storage_unavailable', 'forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, body }) => {
				const call = await testCalls.start(await callingUser(caller.userId), body.device)
				return { status: 202, body: present(call), headers: { Location: `/admin/test-call/${call.id}` } }
			},
		}),
		route({
			method: 'get',
			path: '/admin/test-call/{id}',
			right: 'admin',
			summary: 'How far a test call of the admin’s own came',
			params: TestCallParamsSchema,
			answer: { status: 200, schema: TestCallSchema },
			refusals: ['not_found', 'forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, params }) => ({ status: 200, body: present(testCalls.find(caller.userId, params.id)) }),
		}),
	]
}

function present({ startedAt, ...call }: TestCall): TestCallJson {
	return { ...call, startedAt: startedAt.toISOString() }
}
