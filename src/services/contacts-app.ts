// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { generateUrl } from '@nextcloud/router'

/** What Nextcloud's pages tell of the apps that this user has (`OC.appswebroots` of core/templates). */
const { OC } = window as { OC?: { appswebroots?: Record<string, unknown> } }

/** Where Nextcloud's Contacts are; undefined where they are not installed. */
export const contactsAddress = OC?.appswebroots?.contacts === undefined ? undefined : generateUrl('/apps/contacts/')
