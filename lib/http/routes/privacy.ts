// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What a user decides about her own data: look, take along, erase.

import type { Settings } from '../../policy/settings.ts'
import type { ErasureTarget, ErasureWish } from '../../privacy/erasure.ts'
import type { ErasureCounts, SignedReceipt } from '../../privacy/receipts.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { readNumber } from '../../calls/number-input.ts'
import { SipCallError } from '../../errors.ts'
import { CountsSchema, presentReceipt, ReceiptSchema } from '../receipts.ts'
import { inField, route, TextStream } from '../route.ts'
import { anyUuid, text } from '../schemas.ts'

export interface PrivacyRoutesOptions {
	erasures: {
		preview: (wish: ErasureWish) => Promise<ErasureCounts>
		erase: (wish: ErasureWish) => Promise<SignedReceipt>
	}
	/** A receipt of this owner, or of anybody. */
	findReceipt: (id: string, ownerId?: string) => Promise<{ receipt: SignedReceipt, valid: boolean } | undefined>
	isAdmin: (userId: string) => Promise<boolean>
	/** Before an export; rejects when it must not begin. */
	noteExport: (userId: string) => Promise<void>
	exportUser: (userId: string) => AsyncIterable<string>
	settings: () => Settings
}

const whole = { scope: z.enum(['all', 'calls']).describe('`all`: calls, phones and sign-ins; `calls`: calls alone') }
const ofNumber = { scope: z.literal('number').describe('The calls stay, without number, note and tags'), number: text(200).min(1).describe('Anything a person types') }
const confirm = { confirm: z.literal(true, 'Erasing cannot be undone: send true') }

const Preview = z.discriminatedUnion('scope', [z.strictObject(whole), z.strictObject(ofNumber)]).meta({ id: 'ErasurePreview' })
const Erasure = z.discriminatedUnion('scope', [z.strictObject({ ...whole, ...confirm }), z.strictObject({ ...ofNumber, ...confirm })]).meta({ id: 'Erasure' })

export type ErasureJson = z.input<typeof Erasure>

const REFUSALS = ['csrf', 'unsupported_media_type', 'payload_too_large', 'invalid_number']

export function privacyRoutes({ erasures, findReceipt, isAdmin, noteExport, exportUser, settings }: PrivacyRoutesOptions): Route[] {
	const wishOf = (userId: string, body: z.output<typeof Preview>): ErasureWish => {
		const target: ErasureTarget = body.scope === 'number'
			? { scope: 'number', userId, number: inField('number', () => readNumber(body.number, settings())).e164 }
			: { scope: body.scope, userId }
		return { target, actor: { kind: 'user', userId } }
	}
	return [
		route({
			method: 'post',
			path: '/privacy/preview',
			right: 'user',
			summary: 'How much would be erased; nothing is',
			body: Preview,
			answer: { status: 200, schema: z.object({ counts: CountsSchema }) },
			refusals: REFUSALS,
			handle: async ({ caller, body }) => ({ status: 200, body: { counts: await erasures.preview(wishOf(caller.userId, body)) } }),
		}),
		route({
			method: 'post',
			path: '/privacy/delete',
			right: 'user',
			summary: 'Erase the user’s own data, or a number from the own calls; live ones are hung up first',
			body: Erasure,
			answer: { status: 200, schema: ReceiptSchema },
			refusals: REFUSALS,
			handle: async ({ caller, body }) => ({ status: 200, body: presentReceipt(await erasures.erase(wishOf(caller.userId, body))) }),
		}),
		route({
			method: 'get',
			path: '/privacy/receipt/{id}',
			right: 'user',
			summary: 'A receipt of the user’s own erasures, and whether it is as it was signed; administrators see all',
			params: z.object({ id: anyUuid }),
			answer: { status: 200, schema: z.object({ receipt: ReceiptSchema, valid: z.boolean() }).meta({ id: 'CheckedReceipt' }) },
			refusals: ['not_found', 'nextcloud_unavailable'],
			handle: async ({ caller: { userId }, params: { id } }) => {
				const found = await findReceipt(id, userId) ?? (await isAdmin(userId) ? await findReceipt(id) : undefined)
				if (found === undefined) {
					throw new SipCallError('not_found', 'There is no such receipt.')
				}
				return { status: 200, body: { receipt: presentReceipt(found.receipt), valid: found.valid } }
			},
		}),
		route({
			method: 'get',
			path: '/privacy/export',
			right: 'user',
			summary: 'All that is held of the user, as one JSON document',
			answer: { status: 200, schema: z.looseObject({ schema: z.int(), exportedAt: z.string(), userId: z.string() }).meta({ id: 'UserExport' }) },
			handle: async ({ caller: { userId } }) => {
				await noteExport(userId)
				return { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8', 'Content-Disposition': 'attachment; filename="sipcall-data.json"' }, body: new TextStream(exportUser(userId)) }
			},
		}),
	]
}
