// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The script `manage`: fetched when somebody opens the settings or a page of the administration.

export { default as SettingsDialog } from '../components/SettingsDialog.vue'
