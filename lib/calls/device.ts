// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Settings } from '../policy/settings.ts'

/** A phone of a user, that the A leg rings. */
export interface Device {
	id: string
	kind: 'sip' | 'phone'
	label: string
	/** `sip`: the extension; `phone`: E.164. */
	address: string
	isDefault: boolean
	/** Somebody has proven that it is theirs. Whether that is needed is a setting: ask `mayRing`. */
	verified: boolean
}

/** Whether a device counts as verified under the settings in force. */
export function mayRing({ kind, verified }: Pick<Device, 'kind' | 'verified'>, { deviceVerification }: Pick<Settings, 'deviceVerification'>): boolean {
	return verified || deviceVerification[kind] === 'none'
}

/** What a user may call a `sip` device's extension: a contract, and safe in a dial string. */
export const EXTENSION = /^[A-Za-z0-9_.+-]{1,64}$/
