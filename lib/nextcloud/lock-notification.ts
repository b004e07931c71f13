// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Language, Notification, NotificationText } from './notifications.ts'

const WORDS: Readonly<Record<Language, NotificationText>> = {
	en: { subject: 'Calling was locked for {user}', message: 'Too many calls were tried that are not allowed. Open the users to see and unlock.' },
	de: { subject: 'Anrufe wurden für {user} gesperrt', message: 'Zu viele nicht erlaubte Anrufe wurden versucht. Die Benutzerliste zeigt die Sperre und hebt sie auf.' },
	fr: { subject: 'Les appels ont été bloqués pour {user}', message: 'Trop d’appels non autorisés ont été tentés. Ouvrez la liste des utilisateurs pour voir et débloquer.' },
}

/** For an administrator: somebody was locked. */
export function lockNotification(userId: string): Notification {
	return {
		object: { kind: 'lock', id: userId },
		text: (language) => WORDS[language],
		placeholder: { name: 'user', value: userId },
		path: '/admin/users',
	}
}
