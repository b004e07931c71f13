// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Cursors of lists whose rows are numbered: the number of the last row of a page.

import { SipCallError } from '../errors.ts'

export function writeSeqCursor(seq: number): string {
	return Buffer.from(String(seq)).toString('base64url')
}

/**
 * @throws {SipCallError} `invalid_request` for a cursor that is none of ours
 */
export function readSeqCursor(cursor: string): number {
	const text = Buffer.from(cursor, 'base64url').toString()
	if (!/^[1-9]\d{0,15}$/.test(text) || Buffer.from(text).toString('base64url') !== cursor) {
		throw new SipCallError('invalid_request', 'The cursor is not one that this server gave out. Begin again without it.', { errors: [{ field: 'cursor', message: 'Unknown cursor' }] })
	}
	return Number(text)
}
