// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The script `manage`: fetched when somebody opens the settings or a page of the administration.

import type { Component } from 'vue'
import type { AdminPage } from '../services/routes.ts'

import AdminAudit from '../views/AdminAudit.vue'
import AdminConnection from '../views/AdminConnection.vue'
import AdminDoctor from '../views/AdminDoctor.vue'
import AdminOverview from '../views/AdminOverview.vue'
import AdminPolicy from '../views/AdminPolicy.vue'
import AdminPrivacy from '../views/AdminPrivacy.vue'
import AdminUsers from '../views/AdminUsers.vue'
import { de } from '../l10n/manage-de.ts'
import { fr } from '../l10n/manage-fr.ts'
import { registerLanguage } from '../services/l10n.ts'

export { default as EraseNumber } from '../components/EraseNumber.vue'
export { default as SettingsDialog } from '../components/SettingsDialog.vue'

registerLanguage({ de, fr })

export const ADMIN_VIEWS: Readonly<Record<AdminPage, Component>> = {
	overview: AdminOverview,
	users: AdminUsers,
	policy: AdminPolicy,
	connection: AdminConnection,
	privacy: AdminPrivacy,
	audit: AdminAudit,
	doctor: AdminDoctor,
}
