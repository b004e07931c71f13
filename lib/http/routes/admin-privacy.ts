// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Erasure on behalf of others, its receipts, and what retention is about to do.

import type { Settings } from '../../policy/settings.ts'
import type { ErasureWish } from '../../privacy/erasure.ts'
import type { ErasureCounts, SignedReceipt } from '../../privacy/receipts.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { readNumber } from '../../calls/number-input.ts'
import { ERASERS, ERASURE_SCOPES } from '../../privacy/receipts.ts'
import { CountsSchema, presentReceipt, ReceiptSchema } from '../receipts.ts'
import { inField, route } from '../route.ts'
import { text, time, whole } from '../schemas.ts'

export interface AdminPrivacyOptions {
	erasures: {
		preview: (wish: ErasureWish) => Promise<ErasureCounts>
		erase: (wish: ErasureWish) => Promise<SignedReceipt>
	}
	receipts: (query: { limit: number, cursor?: string | undefined }) => Promise<{ items: { receipt: SignedReceipt, valid: boolean }[], nextCursor: string | undefined }>
	retention: (days: Settings['retention']) => Promise<Omit<RetentionJson, keyof Settings['retention']>>
	/** Nextcloud's own spelling of a user's id; undefined when it knows none. */
	findUser: (adminId: string, userId: string) => Promise<{ id: string } | undefined>
	settings: () => Settings
}

const subject = {
	userId: text(256).min(1).optional().describe('All that is held of this user; also of one who is gone from Nextcloud'),
	number: text(200).min(1).optional().describe('In everybody’s calls, and the phones that have it'),
}
const isOne = [({ userId, number }: { userId?: string | undefined, number?: string | undefined }) => (userId === undefined) !== (number === undefined), 'Give either userId or number'] as const

const Preview = z.strictObject(subject).refine(...isOne).meta({ id: 'AdminErasurePreview' })
const Erasure = z.strictObject({ ...subject, confirm: z.literal(true, 'Erasing cannot be undone: send true') }).refine(...isOne).meta({ id: 'AdminErasure' })

const days = () => whole(0, 36_500).optional().describe('Instead of the saved setting')

const RetentionSchema = z.object({
	callsDays: z.int(),
	maskAfterDays: z.int(),
	auditDays: z.int(),
	next: z.object({ delete: z.int(), mask: z.int(), auditEntries: z.int() }).describe('How many calls the next run deletes and masks, and how many entries of the audit log it drops'),
	kept: z.object({ full: z.int().describe('With their number'), masked: z.int(), erased: z.int(), auditEntries: z.int() }).describe('How many calls, and entries of the audit log, are stored now'),
}).meta({ id: 'RetentionPreview' })

export type RetentionJson = z.infer<typeof RetentionSchema>

const ReceiptsSchema = z.object({
	items: z.array(z.object({ receiptId: z.uuid(), deletedAt: time, scope: z.enum(ERASURE_SCOPES), by: z.enum(ERASERS), counts: CountsSchema, valid: z.boolean() })),
	nextCursor: z.string().nullable(),
}).meta({ id: 'Receipts' })

export type ReceiptsJson = z.infer<typeof ReceiptsSchema>

const REFUSALS = ['csrf', 'unsupported_media_type', 'payload_too_large', 'forbidden', 'invalid_number', 'nextcloud_unavailable']

export function adminPrivacyRoutes({ erasures, receipts, retention, findUser, settings }: AdminPrivacyOptions): Route[] {
	const wishOf = async (adminId: string, { userId = '', number }: z.output<typeof Preview>): Promise<ErasureWish> => ({
		actor: { kind: 'admin', userId: adminId },
		target: number === undefined
			? { scope: 'all', userId: (await findUser(adminId, userId))?.id ?? userId }
			: { scope: 'number', number: inField('number', () => readNumber(number, settings())).e164 },
	})
	return [
		route({
			method: 'post',
			path: '/admin/privacy/preview',
			right: 'admin',
			summary: 'How much would be erased; nothing is',
			body: Preview,
			answer: { status: 200, schema: z.object({ counts: CountsSchema }) },
			refusals: REFUSALS,
			handle: async ({ caller, body }) => ({ status: 200, body: { counts: await erasures.preview(await wishOf(caller.userId, body)) } }),
		}),
		route({
			method: 'post',
			path: '/admin/privacy/delete',
			right: 'admin',
			summary: 'Erase all that is held of a user, or a number from everybody’s calls and phones',
			body: Erasure,
			answer: { status: 200, schema: ReceiptSchema },
			refusals: REFUSALS,
			handle: async ({ caller, body }) => ({ status: 200, body: presentReceipt(await erasures.erase(await wishOf(caller.userId, body))) }),
		}),
		route({
			method: 'get',
			path: '/admin/privacy/receipts',
			right: 'admin',
			summary: 'What was erased, by whom and when, newest first',
			query: z.object({ limit: whole(1, 200).default(50), cursor: z.string().max(100).optional() }),
			answer: { status: 200, schema: ReceiptsSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ query }) => {
				const { items, nextCursor } = await receipts(query)
				return {
					status: 200,
					body: { items: items.map(({ receipt: { signature, deletedAt, ...receipt }, valid }) => ({ ...receipt, deletedAt: deletedAt.toISOString(), valid })), nextCursor: nextCursor ?? null },
				}
			},
		}),
		route({
			method: 'get',
			path: '/admin/privacy/retention',
			right: 'admin',
			summary: 'What the next run deletes, masks and drops, with the saved days or with others',
			query: z.object({ callsDays: days(), maskAfterDays: days(), auditDays: days() }),
			answer: { status: 200, schema: RetentionSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ query }) => {
				const saved = settings().retention
				const wanted = { callsDays: query.callsDays ?? saved.callsDays, maskAfterDays: query.maskAfterDays ?? saved.maskAfterDays, auditDays: query.auditDays ?? saved.auditDays }
				return { status: 200, body: { ...wanted, ...await retention(wanted) } }
			},
		}),
	]
}
