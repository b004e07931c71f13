// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { InferEntity } from '@mikro-orm/core'

import { defineEntity, p } from '@mikro-orm/core'
import { EncryptedText } from '../encrypted-text.ts'

/** What a user has chosen for themselves. */
export const UserPreferencesEntity = defineEntity({
	name: 'UserPreferences',
	tableName: 'user_preferences',
	properties: {
		userId: p.string().primary(),
		/** JSON: there is nothing in it that a query asks for. */
		chosen: p.type(EncryptedText).$type<string>(),
		seenMissedAt: p.datetime(3).nullable(),
	},
})

export type UserPreferencesRow = InferEntity<typeof UserPreferencesEntity>
