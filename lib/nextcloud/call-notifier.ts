// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Tells a user of a call that came to nothing, by a notification of Nextcloud's.

import type { Call, FixableBy } from '../calls/call.ts'
import type { Logger } from '../logger.ts'
import type { OcsClient } from './ocs-client.ts'
import type { UserDirectory } from './user-directory.ts'

import { maskNumber } from '../numbering/mask-number.ts'

export interface CallNotifierOptions {
	ocs: OcsClient
	users: UserDirectory
	/** Nextcloud's address in people's browsers, ending in `index.php`. */
	publicUrl: () => Promise<string>
	logger: Logger
}

const PATH = '/apps/app_api/api/v1/notification'
/** The page of SIPCall beneath Nextcloud's address. */
const PAGE = '/apps/app_api/embedded/sipcall/calls'

interface Words {
	missed: string
	failed: string
	help: Readonly<Record<FixableBy, string>>
}

/** A name of one letter within the braces would be taken and never be shown (seen live). */
const WORDS: Readonly<Record<'en' | 'de' | 'fr', Words>> = {
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
export function notificationOf(call: Call): 'missed' | 'failed' | undefined {
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
 * Sends a notification for each call that failed or was missed, once and without repetition: one that Nextcloud does not
 * take is logged, and the call still stands in the history. The number is masked, because notifications lie in
 * Nextcloud's database in clear and out of reach of an erasure here.
 */
export class CallNotifier {
	readonly #options: CallNotifierOptions

	constructor(options: CallNotifierOptions) {
		this.#options = options
	}

	/** Resolves when Nextcloud has answered; never rejects. */
	async tell(call: Call): Promise<void> {
		const kind = notificationOf(call)
		if (kind === undefined) {
			return
		}
		const { ocs, users, publicUrl, logger } = this.#options
		try {
			const [{ language }, address] = await Promise.all([users.get(call.userId), publicUrl()])
			const words = wordsOf(language)
			const { status } = await ocs.request({
				method: 'POST',
				path: PATH,
				userId: call.userId,
				body: { params: {
					object: 'call',
					object_id: call.uuid,
					subject_type: `call_${kind}`,
					subject_params: {
						link: `${address}${PAGE}/call/${call.uuid}`,
						rich_subject: words[kind],
						rich_subject_params: { number: { type: 'highlight', id: call.uuid, name: maskNumber(call.to) } },
						rich_message: words.help[call.reason?.fixableBy ?? 'nobody'],
						rich_message_params: {},
					},
				} },
			})
			if (status !== 200) {
				logger.warn('Nextcloud did not take a notification', { callUuid: call.uuid, status })
			}
		} catch (error) {
			logger.warn('A user could not be notified; the call stands in the history', { callUuid: call.uuid, error })
		}
	}
}

/** `de_DE` is German as well; what is not there is English. */
function wordsOf(language: string): Words {
	const code = language.split(/[-_]/)[0] ?? ''
	return code === 'de' || code === 'fr' ? WORDS[code] : WORDS.en
}
