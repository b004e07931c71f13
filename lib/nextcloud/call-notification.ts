// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which calls a user is told of by a notification of Nextcloud's, and in which words.

import type { Call, FixableBy } from '../calls/call.ts'
import type { NotificationKind, Preferences } from '../calls/preferences.ts'
import type { Logger } from '../logger.ts'
import type { Language, Notification } from './notifications.ts'

import { maskNumber } from '../numbering/mask-number.ts'

interface Words {
	missed: string
	failed: string
	help: Readonly<Record<FixableBy, string>>
}

const WORDS: Readonly<Record<Language, Words>> = {
	en: {
		missed: 'Missed call from {number}',
		failed: 'Your call to {number} failed',
		help: {
			user: 'Open it to see what you can do.',
			admin: 'Your administrator can fix this. Open it to see what happened.',
			carrier: 'The phone company could not connect it. Try again later.',
			nobody: 'Open it to see what happened, and call again.',
		},
	},
	de: {
		missed: 'Verpasster Anruf von {number}',
		failed: 'Der Anruf an {number} ist fehlgeschlagen',
		help: {
			user: 'Der Eintrag zeigt, was zu tun ist.',
			admin: 'Die Administration kann das beheben. Der Eintrag zeigt, was geschehen ist.',
			carrier: 'Die Telefongesellschaft konnte nicht verbinden. Später noch einmal versuchen.',
			nobody: 'Der Eintrag zeigt, was geschehen ist. Danach noch einmal anrufen.',
		},
	},
	fr: {
		missed: 'Appel manqué de {number}',
		failed: 'L’appel vers {number} a échoué',
		help: {
			user: 'Ouvrez-le pour voir ce que vous pouvez faire.',
			admin: 'Votre administrateur peut corriger cela. Ouvrez-le pour voir ce qui s’est passé.',
			carrier: 'L’opérateur n’a pas pu établir l’appel. Réessayez plus tard.',
			nobody: 'Ouvrez-le pour voir ce qui s’est passé, puis rappelez.',
		},
	},
}

/** Which kind of notification an ended call deserves; most deserve none. */
export function notificationOf(call: Call): NotificationKind | undefined {
	if (call.status !== 'ended' || call.outcome === undefined || call.outcome === 'completed') {
		return undefined
	}
	if (call.direction === 'inbound') {
		return 'missed'
	}
	// Busy, declined, not picked up: whoever was on the phone has heard it.
	return call.outcome === 'failed' || call.outcome === 'blocked' ? 'failed' : undefined
}

/**
 * The notification of an ended call; undefined when there is none. The number is masked, because notifications lie in
 * Nextcloud's database in clear and out of reach of an erasure here.
 */
export function callNotification(call: Call): Notification | undefined {
	const kind = notificationOf(call)
	return kind === undefined
		? undefined
		: {
				object: { kind: 'call', id: call.uuid },
				text: (language) => ({ subject: WORDS[language][kind], message: WORDS[language].help[call.reason?.fixableBy ?? 'nobody'] }),
				placeholder: { name: 'number', value: maskNumber(call.to) },
				path: `/call/${call.uuid}`,
			}
}

export interface EndNotifierOptions {
	preferences: (userId: string) => Promise<Preferences>
	/** Never rejects. */
	send: (userId: string, notification: Notification) => Promise<void>
	logger: Logger
}

/** Tells users of ended calls, as far as they want to be told. Returns at once and never throws. */
export function notifyOfEnds({ preferences, send, logger }: EndNotifierOptions): (call: Call) => void {
	return (call) => {
		const [kind, notification] = [notificationOf(call), callNotification(call)]
		if (kind === undefined || notification === undefined) {
			return
		}
		void preferences(call.userId).then(({ notifications }) => notifications[kind], (error: unknown) => {
			// Better told once too often: who has turned it off sees one more, who has not would miss one.
			logger.warn('Nobody knows whether a user wants a notification, so it is sent', { error })
			return true
		}).then((isWanted) => isWanted ? send(call.userId, notification) : undefined)
	}
}
