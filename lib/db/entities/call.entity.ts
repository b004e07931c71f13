// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { InferEntity } from '@mikro-orm/core'
import type { Call, CallOutcome, CallStatus, CarrierCost, Cause, EndedBy, HangupBy, Leg, LegRole, Reason, Verdict } from '../../calls/call.ts'
import type { Rate } from '../../policy/rates.ts'

import { defineEntity, p } from '@mikro-orm/core'
import { MarkedText } from '../encrypted-text.ts'

const encrypted = () => p.type(MarkedText).$type<string>()

/** Dates inside JSON columns are ISO texts; `call-repository.ts` turns them back. */
export type StoredLeg = Omit<Leg, 'createdAt' | 'ringingAt' | 'answeredAt' | 'endedAt' | 'goneAt'>
	& Partial<Record<'createdAt' | 'ringingAt' | 'answeredAt' | 'endedAt' | 'goneAt', string>>

/** One row a call. What identifies a person is encrypted; `toIndex` finds a number without holding it. */
export const CallEntity = defineEntity({
	name: 'Call',
	tableName: 'calls',
	properties: {
		uuid: p.uuid().primary(),
		version: p.integer(),
		userId: p.string(),
		to: encrypted().name('to_number'),
		toIndex: p.string(),
		rawTo: encrypted(),
		extension: encrypted().nullable(),
		country: p.string().nullable(),
		deviceId: p.uuid(),
		deviceLabel: encrypted(),
		callerId: encrypted().nullable(),
		note: encrypted().nullable(),
		tags: encrypted().nullable(),
		tagIndex: p.array().$type<string[]>().nullable(),
		direction: p.string().$type<'outbound' | 'inbound'>(),
		status: p.string().$type<CallStatus>(),
		outcome: p.string().$type<CallOutcome>().nullable(),
		endedBy: p.string().$type<EndedBy>().nullable(),
		leg: p.string().$type<LegRole>().nullable(),
		cause: p.json<Cause>().nullable(),
		reason: p.json<Reason>().nullable(),
		createdAt: p.datetime(3),
		changedAt: p.datetime(3),
		userAnsweredAt: p.datetime(3).nullable(),
		ringingAt: p.datetime(3).nullable(),
		answeredAt: p.datetime(3).nullable(),
		endedAt: p.datetime(3).nullable(),
		talkMs: p.integer().nullable(),
		onHold: p.boolean(),
		legs: p.json<StoredLeg[]>(),
		jobUuid: p.uuid(),
		node: p.string().nullable(),
		longestSec: p.integer().nullable(),
		hangupRequestedAt: p.datetime(3).nullable(),
		hangupRequestedBy: p.string().$type<HangupBy>().nullable(),
		transfer: p.string().$type<NonNullable<Call['transfer']>>().nullable(),
		rate: p.json<Rate>().nullable(),
		ownRate: p.json<Rate>().nullable(),
		reservedMicros: p.bigint('string').nullable(),
		costMicros: p.bigint('string').nullable(),
		carrierCost: p.json<CarrierCost>().nullable(),
		/** When the company is asked next; stands in no call. */
		carrierCostAt: p.datetime(3).nullable(),
		/** Of the amounts; stays when the rates go. */
		currency: p.string().nullable(),
		maskedAt: p.datetime(3).nullable(),
		erasedAt: p.datetime(3).nullable(),
		originateFailure: p.json<{ cause: Cause, verdict: Verdict }>().nullable(),
	},
})

export type CallRow = InferEntity<typeof CallEntity>

/** A call's own history, one row for each thing that happened to it. */
export const CallLogEntity = defineEntity({
	name: 'CallLog',
	tableName: 'call_events',
	properties: {
		id: p.bigint().primary().autoincrement(),
		callUuid: p.uuid(),
		at: p.datetime(3),
		type: p.string(),
		leg: p.string().$type<LegRole>().nullable(),
		detail: p.json<Record<string, string | number>>().nullable(),
	},
})

/** Which call an Idempotency-Key stands for; kept for 24 hours. */
export const IdempotencyEntity = defineEntity({
	name: 'IdempotencyKey',
	tableName: 'idempotency_keys',
	properties: {
		userId: p.string().primary(),
		key: p.string().primary(),
		bodyHash: p.string(),
		/** null once the call was deleted. */
		callUuid: p.uuid().nullable(),
		createdAt: p.datetime(3),
	},
})
