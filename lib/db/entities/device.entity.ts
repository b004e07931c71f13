// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { InferEntity } from '@mikro-orm/core'

import { defineEntity, p } from '@mikro-orm/core'
import { EncryptedText } from '../encrypted-text.ts'

/** A phone that rings for a user. */
export const DeviceEntity = defineEntity({
	name: 'Device',
	tableName: 'devices',
	properties: {
		id: p.uuid().primary(),
		userId: p.string(),
		kind: p.string().$type<'sip' | 'phone'>(),
		label: p.type(EncryptedText).$type<string>(),
		address: p.type(EncryptedText).$type<string>(),
		isDefault: p.boolean(),
		verified: p.boolean(),
		position: p.integer(),
	},
})

export type DeviceRow = InferEntity<typeof DeviceEntity>
