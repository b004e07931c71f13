// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is done with a call that is there.

import type { CallControl } from '../../calls/call-control.ts'
import type { CallingUser } from '../../calls/call-rules.ts'
import type { CallService } from '../../calls/call-service.ts'
import type { Logger } from '../../logger.ts'
import type { AuditTrail } from '../../privacy/audit-trail.ts'
import type { Route, RouteContext } from '../route.ts'

import { presentCall } from '../presenters.ts'
import { route } from '../route.ts'
import { AdminCallSchema, AnnotationSchema, CallParamsSchema, CallSchema, DigitsSchema, TransferSchema } from '../schemas.ts'

export interface CallControlRoutesOptions {
	calls: CallService
	control: CallControl
	/** With the groups, from Nextcloud, and what the user has chosen. */
	callingUser: (userId: string) => Promise<CallingUser>
	audit: AuditTrail
	logger: Logger
}

const REFUSALS = ['csrf', 'unsupported_media_type', 'payload_too_large', 'not_found']
const CONTROL_REFUSALS = [...REFUSALS, 'wrong_state', 'switch_unavailable']

export function callControlRoutes({ calls, control, callingUser, audit, logger }: CallControlRoutesOptions): Route[] {
	/** For routes that decide by ownership alone: Nextcloud is not asked. */
	const owner = ({ caller }: RouteContext<unknown, unknown, unknown>): CallingUser => ({ id: caller.userId, groups: [] })
	const holding = (isHeld: boolean) => route({
		method: 'post',
		path: `/call/{uuid}/${isHeld ? 'hold' : 'unhold'}`,
		right: 'user',
		summary: isHeld ? 'Put the destination on hold: it does not hear the user any more' : 'Take the destination back from hold',
		params: CallParamsSchema,
		answer: { status: 202, schema: CallSchema },
		refusals: CONTROL_REFUSALS,
		handle: async (context) => ({ status: 202, body: presentCall(await control.hold(owner(context), context.params.uuid, isHeld, context.signal)) }),
	})
	return [
		holding(true),
		holding(false),
		route({
			method: 'post',
			path: '/call/{uuid}/dtmf',
			right: 'user',
			summary: 'Send keys to the destination',
			params: CallParamsSchema,
			body: DigitsSchema,
			answer: { status: 202, schema: CallSchema },
			refusals: CONTROL_REFUSALS,
			handle: async (context) => ({ status: 202, body: presentCall(await control.sendDigits(owner(context), context.params.uuid, context.body.digits)) }),
		}),
		route({
			method: 'post',
			path: '/call/{uuid}/transfer',
			right: 'user',
			summary: 'Hand the destination over to another number and leave the call',
			params: CallParamsSchema,
			body: TransferSchema,
			answer: { status: 202, schema: CallSchema },
			refusals: [...CONTROL_REFUSALS, 'trunk_unavailable', 'calling_not_permitted', 'account_locked', 'invalid_number', 'emergency_number', 'destination_not_allowed', 'caller_id_not_allowed', 'rate_limited', 'limit_reached'],
			handle: async ({ caller, params: { uuid }, body: { to }, signal }) => {
				const user = await callingUser(caller.userId)
				return { status: 202, body: presentCall(await control.transfer(user, uuid, to, signal)) }
			},
		}),
		route({
			method: 'put',
			path: '/call/{uuid}',
			right: 'user',
			summary: 'Write a note and tags beside a call, during it and after',
			params: CallParamsSchema,
			body: AnnotationSchema,
			answer: { status: 200, schema: CallSchema },
			refusals: REFUSALS,
			handle: async (context) => ({ status: 200, body: presentCall(await control.annotate(owner(context), context.params.uuid, context.body)) }),
		}),
		route({
			method: 'delete',
			path: '/admin/call/{uuid}',
			right: 'admin',
			summary: 'End a call of anybody; the server keeps at it until both legs are gone',
			params: CallParamsSchema,
			answer: { status: 202, schema: AdminCallSchema },
			refusals: ['csrf', 'not_found'],
			handle: async ({ caller, params: { uuid: callUuid } }) => {
				const { uuid, version, status, userId } = await calls.endAsAdmin(callUuid)
				// Afterwards: a call must end also while the database is away.
				audit.note({ actor: { kind: 'admin', userId: caller.userId }, action: 'call.ended', targetUserId: userId, detail: { call: uuid } })
				logger.info('An administrator ends a call', { callUuid: uuid, admin: caller.userId })
				return { status: 202, body: { uuid, version, status } }
			},
		}),
	]
}
