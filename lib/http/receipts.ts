// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Receipts of erasures as the outside sees them.

import type { SignedReceipt } from '../privacy/receipts.ts'

import { z } from 'zod'
import { ERASERS, ERASURE_SCOPES } from '../privacy/receipts.ts'
import { time } from './schemas.ts'

export const CountsSchema = z.object({
	calls: z.int().describe('Deleted; of a number: kept without it'),
	transfers: z.int(),
	devices: z.int(),
	signIns: z.int().describe('Clients outside of Nextcloud'),
	rules: z.int().describe('1 = what an administrator had decided for the user went as well'),
}).meta({ id: 'ErasureCounts' })

export const ReceiptSchema = z.object({
	receiptId: z.uuid(),
	deletedAt: time,
	scope: z.enum(ERASURE_SCOPES),
	by: z.enum(ERASERS),
	counts: CountsSchema,
	signature: z.string().describe('Made and checked with a key of the server'),
}).meta({ id: 'Receipt' })

export type ReceiptJson = z.infer<typeof ReceiptSchema>

export type CountsJson = z.infer<typeof CountsSchema>

export function presentReceipt({ deletedAt, ...receipt }: SignedReceipt): ReceiptJson {
	return { ...receipt, deletedAt: deletedAt.toISOString() }
}
