// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Phone links (`tel:`) that this browser opens with SIPCall. */

/** No number of anybody's: a page that is opened with it only tells that it was opened. */
export const TEST_LINK = 'tel:+000'

/** Not on phones and not in Safari, and only over https. */
export function canHandleLinks(): boolean {
	return window.isSecureContext && typeof navigator.registerProtocolHandler === 'function'
}

/** Asks the browser; it asks the user, and tells nobody the answer. */
export function askToHandleLinks(root: string): void {
	navigator.registerProtocolHandler('tel', `${window.location.origin}${root}?number=%s`)
}

/** Whether a page was opened by the test's own link, however the browser has written it. */
export function isTestLink(text: string): boolean {
	return /^(?:tel:)?(?:\+|%2B| )000$/i.test(text.trim().replace(/^000$/, '+000'))
}
