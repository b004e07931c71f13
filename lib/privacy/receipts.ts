// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What proves that something was erased, and when, without saying what. Pure: keys come from outside.

import type { AuditActor, Mac } from './audit.ts'

import { canonicalJson } from './audit.ts'

export const ERASURE_SCOPES = ['all', 'calls', 'number'] as const
export type ErasureScope = typeof ERASURE_SCOPES[number]

export const ERASERS = ['user', 'admin', 'console', 'system'] as const satisfies readonly AuditActor['kind'][]
export type Eraser = typeof ERASERS[number]

/** How much was, or would be, erased. */
export interface ErasureCounts {
	/** Deleted; of a number: kept without it. */
	calls: number
	transfers: number
	devices: number
	signIns: number
	/** What an admin has decided for the user. */
	rules: number
}

export interface Receipt {
	receiptId: string
	deletedAt: Date
	scope: ErasureScope
	by: Eraser
	counts: ErasureCounts
}

/** `<id of the key>.<HMAC-SHA256 in 64 hexadecimal digits>`. */
export type SignedReceipt = Receipt & { signature: string }

/**
 * @param subject the audit log's reference of the user; null = nobody's alone
 */
export function signReceipt(receipt: Receipt, subject: string | null, kid: string, mac: Mac): SignedReceipt {
	return { ...receipt, signature: `${kid}.${mac(kid, receiptText(receipt, subject)) ?? ''}` }
}

/** Whether a receipt is as it was signed, and of this subject; false also when its key is not loaded. */
export function isValidReceipt({ signature, ...receipt }: SignedReceipt, subject: string | null, mac: Mac): boolean {
	const [kid = '', hash = ''] = signature.split('.')
	return hash !== '' && mac(kid, receiptText(receipt, subject)) === hash
}

function receiptText({ receiptId, deletedAt, scope, by, counts }: Receipt, subject: string | null): string {
	return `receipt\n${canonicalJson({ receiptId, deletedAt, scope, by, counts, subject })}`
}
