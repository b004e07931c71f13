// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What a user is told of by Nextcloud while the page is closed. */
export const NOTIFICATION_KINDS = ['missed', 'failed'] as const

export type NotificationKind = typeof NOTIFICATION_KINDS[number]

/** What users choose for themselves. */
export interface Choices {
	/** ISO 3166, for numbers that the user types in national form; null = the home country of the settings. */
	country: string | null
	/** Asked by the page alone: it is no rule. */
	askBeforeEveryCall: boolean
	/** E.164, shown while it is granted; null = the first that is. */
	callerId: string | null
	notifications: Readonly<Record<NotificationKind, boolean>>
}

export interface Preferences extends Choices {
	/** Calls that were missed until then have been looked at. */
	seenMissedAt: Date | null
}

export interface PreferencesChange extends Partial<Omit<Preferences, 'notifications'>> {
	notifications?: Partial<Choices['notifications']>
}

export const NO_PREFERENCES: Preferences = Object.freeze<Preferences>({
	country: null,
	askBeforeEveryCall: false,
	callerId: null,
	notifications: { missed: true, failed: true },
	seenMissedAt: null,
})

/** What is left out stays as it is; what was looked at stays so. */
export function changed(before: Preferences, { notifications, seenMissedAt, ...change }: PreferencesChange): Preferences {
	const isNews = seenMissedAt !== undefined && seenMissedAt !== null && (before.seenMissedAt === null || before.seenMissedAt < seenMissedAt)
	return { ...before, ...change, notifications: { ...before.notifications, ...notifications }, seenMissedAt: isNews ? seenMissedAt : before.seenMissedAt }
}
