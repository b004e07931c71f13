// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A phone is verified by the code that a call reads out.

import type { CallingUser } from '../../calls/call-rules.ts'
import type { DeviceVerification } from '../../calls/device-verification.ts'
import type { Route } from '../route.ts'
import type { CodeStateJson } from '../verification-schemas.ts'

import { route } from '../route.ts'
import { DeviceSchema } from '../schemas.ts'
import { CodeSchema, CodeStateSchema, DeviceParamsSchema } from '../verification-schemas.ts'

export interface DeviceVerificationRoutesOptions {
	verification: DeviceVerification
	/** With the groups, from Nextcloud, and what the user has chosen. */
	callingUser: (userId: string) => Promise<CallingUser>
}

const REFUSALS = ['csrf', 'unsupported_media_type', 'payload_too_large', 'not_found', 'wrong_state', 'limit_reached']

export function deviceVerificationRoutes({ verification, callingUser }: DeviceVerificationRoutesOptions): Route[] {
	return [
		route({
			method: 'post',
			path: '/me/devices/{id}/verify',
			right: 'user',
			summary: 'Call a phone of the user with a code',
			params: DeviceParamsSchema,
			answer: { status: 202, schema: CodeStateSchema },
			refusals: [...REFUSALS, 'calling_not_permitted', 'account_locked', 'emergency_number', 'invalid_number', 'destination_not_allowed', 'already_in_call', 'switch_unavailable', 'trunk_unavailable', 'forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, params }) => {
				const user = await callingUser(caller.userId)
				const { expiresAt, triesLeft, nextCallAt } = await verification.call(user, params.id)
				const body: CodeStateJson = { expiresAt: expiresAt.toISOString(), triesLeft, nextCallAt: nextCallAt.toISOString() }
				return { status: 202, body }
			},
		}),
		route({
			method: 'post',
			path: '/me/devices/{id}/confirm',
			right: 'user',
			summary: 'Type the code that was heard: the phone is verified',
			params: DeviceParamsSchema,
			body: CodeSchema,
			answer: { status: 200, schema: DeviceSchema },
			refusals: [...REFUSALS, 'wrong_code'],
			handle: async ({ caller, params, body }) => ({ status: 200, body: await verification.confirm({ id: caller.userId }, params.id, body.code) }),
		}),
	]
}
