// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What is asked of the API about stored data, of one's own and, by administrators, of others. */

import type { CountsJson, ReceiptJson } from '../../lib/http/receipts.ts'
import type { KeysJson } from '../../lib/http/routes/admin-keys.ts'
import type { ReceiptsJson, RetentionJson } from '../../lib/http/routes/admin-privacy.ts'

import { send } from './api.ts'

export type Receipt = ReceiptJson
export type ErasureCounts = CountsJson
export type ReceiptPage = ReceiptsJson
export type ListedReceipt = ReceiptsJson['items'][number]
export type RetentionPreview = RetentionJson
export type EncryptionKeys = KeysJson
export type RetentionDays = Pick<RetentionJson, 'callsDays' | 'maskAfterDays' | 'auditDays'>

/** What is to be erased: of one's own, or as an administrator of somebody or everybody. */
export type ErasureWish
	= | { scope: 'all' | 'calls' }
		| { scope: 'number', number: string }
		| { userId: string }
		/** In everybody's calls. */
		| { number: string }

/** The server hangs up live calls first, and waits for their end. */
const ERASE_TIMEOUT_MS = 60_000
/** Tens of thousands of calls take a while. */
const EXPORT_TIMEOUT_MS = 300_000

const addressOf = (wish: ErasureWish) => 'scope' in wish ? 'privacy' : 'admin/privacy'

/** How much would be erased; nothing is. */
export async function previewErasure(wish: ErasureWish): Promise<ErasureCounts> {
	return (await send<{ counts: ErasureCounts }>({ method: 'post', url: `${addressOf(wish)}/preview`, data: wish })).counts
}

/** To ask twice is harmless: the second time there is nothing left. */
export function erase(wish: ErasureWish): Promise<Receipt> {
	return send({ method: 'post', url: `${addressOf(wish)}/delete`, data: { ...wish, confirm: true }, timeout: ERASE_TIMEOUT_MS })
}

/** All that is held of the user, as the JSON text that it is. */
export function exportData(): Promise<string> {
	return send({ method: 'get', url: 'privacy/export', responseType: 'text', timeout: EXPORT_TIMEOUT_MS })
}

export function getReceipts(cursor?: string): Promise<ReceiptPage> {
	return send({ method: 'get', url: 'admin/privacy/receipts', params: { limit: 20, ...(cursor === undefined ? {} : { cursor }) } })
}

/** What the next run of retention does with these days. */
export function getRetention(days: RetentionDays, signal: AbortSignal): Promise<RetentionPreview> {
	return send({ method: 'get', url: 'admin/privacy/retention', params: days, signal })
}

/** Which encryption keys are in use, and how far a change is. */
export function getKeys(signal: AbortSignal): Promise<EncryptionKeys> {
	return send({ method: 'get', url: 'admin/keys', signal })
}

/** Makes a new encryption key; all rows are brought under it by and by. */
export function rotateKeys(): Promise<EncryptionKeys> {
	return send({ method: 'post', url: 'admin/keys/rotate', data: {} })
}
