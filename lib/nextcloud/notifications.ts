// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Nextcloud's notifications: sent once, never repeated, and no fault of whoever causes them when they do not arrive.

import type { Logger } from '../logger.ts'
import type { OcsClient } from './ocs-client.ts'
import type { UserDirectory } from './user-directory.ts'

export interface NotificationsOptions {
	ocs: OcsClient
	users: UserDirectory
	/** Nextcloud's address in people's browsers, ending in `index.php`. */
	publicUrl: () => Promise<string>
	logger: Logger
}

export type Language = 'en' | 'de' | 'fr'

export interface NotificationText {
	/** With placeholders in braces. A name of one letter would be taken and never be shown (seen live). */
	subject: string
	message: string
}

export interface Notification {
	/** What it is about: a kind and an id. */
	object: { kind: string, id: string }
	text: (language: Language) => NotificationText
	/** What stands in the place of `{name}`. */
	placeholder: { name: string, value: string }
	/** Beneath SIPCall's page: `/call/<uuid>`. */
	path: string
}

const PATH = '/apps/app_api/api/v1/notification'
const PAGE = '/apps/app_api/embedded/sipcall/calls'

export class Notifications {
	readonly #options: NotificationsOptions

	constructor(options: NotificationsOptions) {
		this.#options = options
	}

	/** Resolves when Nextcloud has answered; never rejects. */
	async send(userId: string, { object, text, placeholder, path }: Notification): Promise<void> {
		const { ocs, users, publicUrl, logger } = this.#options
		try {
			const [{ language }, address] = await Promise.all([users.get(userId), publicUrl()])
			const { subject, message } = text(languageOf(language))
			const { status } = await ocs.request({
				method: 'POST',
				path: PATH,
				userId,
				body: { params: {
					object: object.kind,
					object_id: object.id,
					subject_type: object.kind,
					subject_params: {
						link: `${address}${PAGE}${path}`,
						rich_subject: subject,
						rich_subject_params: { [placeholder.name]: { type: 'highlight', id: object.id, name: placeholder.value } },
						rich_message: message,
						rich_message_params: {},
					},
				} },
			})
			if (status !== 200) {
				logger.warn('Nextcloud did not take a notification', { object: object.kind, status })
			}
		} catch (error) {
			logger.warn('A user could not be notified', { object: object.kind, error })
		}
	}
}

/** `de_DE` is German as well; what is not there is English. */
function languageOf(language: string): Language {
	const code = language.split(/[-_]/)[0] ?? ''
	return code === 'de' || code === 'fr' ? code : 'en'
}
