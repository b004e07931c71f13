// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** A phone of a user, that the A leg rings. */
export interface Device {
	id: string
	kind: 'sip' | 'phone'
	label: string
	/** `sip`: the extension; `phone`: E.164. */
	address: string
	isDefault: boolean
	verified: boolean
}

/** What a user may call a `sip` device's extension: a contract, and safe in a dial string. */
export const EXTENSION = /^[A-Za-z0-9_.+-]{1,64}$/
