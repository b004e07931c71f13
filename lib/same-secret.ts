// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { createHash, timingSafeEqual } from 'node:crypto'

/** Compares in a time that tells nothing of either, whatever their lengths. */
export function isSameSecret(given: string, expected: string): boolean {
	return timingSafeEqual(digest(given), digest(expected))
}

/** Equal lengths for the constant-time comparison. */
function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest()
}
