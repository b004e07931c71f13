// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { InferEntity } from '@mikro-orm/core'

import { defineEntity, p } from '@mikro-orm/core'

/** A code that was read out and not yet typed. Neither the code nor the phone's number stands in it. */
export const DeviceVerificationEntity = defineEntity({
	name: 'DeviceVerification',
	tableName: 'device_verifications',
	properties: {
		deviceId: p.uuid().primary(),
		userId: p.string(),
		phoneIndex: p.string(),
		salt: p.string(),
		codeHash: p.string(),
		triesLeft: p.integer(),
		legUuid: p.uuid(),
		calledAt: p.datetime(),
		expiresAt: p.datetime(),
	},
})

export type DeviceVerificationRow = InferEntity<typeof DeviceVerificationEntity>
