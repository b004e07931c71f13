// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What is known about a number before it is called. */
export interface Explanation {
	/** Why the server will refuse, in words; undefined = not known to be refused. */
	refusal: string | undefined
}

/**
 * Asks whether a number may be called. There is no such question to the server yet: until there is, nothing is known
 * before the click, and the answer to the call itself says it.
 */
export async function explainNumber(): Promise<Explanation> {
	return { refusal: undefined }
}
