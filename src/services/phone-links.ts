// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Phone links (`tel:`) that this browser opens with SIPCall. */

/** No number of anybody's: a page that is opened with it only tells that it was opened. */
export const TEST_LINK = 'tel:+000'

/** Not on phones and not in Safari, and only over https. */
export function canHandleLinks(): boolean {
	return window.isSecureContext && typeof navigator.registerProtocolHandler === 'function'
}

/**
 * Asks the browser; it asks the user, and tells nobody the answer.
 *
 * @param scheme `sip` for links such as `sip:+4930123456@example.com`, which some phone books have
 */
export function askToHandleLinks(scheme: 'tel' | 'sip', root: string): void {
	navigator.registerProtocolHandler(scheme, `${numberAddress(root)}%s`)
}

/** The page's address with a number to come at its end; opened, it asks and dials nothing. */
export function numberAddress(root: string): string {
	return `${window.location.origin}${root}?number=`
}

/** How the browser asks differs; so does the place where the answer can be changed. */
export function browserKind(): 'chromium' | 'firefox' | 'other' {
	const { userAgent } = navigator
	return userAgent.includes('Firefox/') ? 'firefox' : /Chrome\/|Chromium\//.test(userAgent) ? 'chromium' : 'other'
}

/**
 * A bookmark that opens the page with the text that is marked, wherever somebody is; without one it asks for it.
 *
 * @param question what it asks then
 */
export function bookmarklet(root: string, question: string): string {
	const code = `(n=>{n&&n.trim()&&open(${JSON.stringify(numberAddress(root))}+encodeURIComponent(n.trim().slice(0,400)))})(String(getSelection())||prompt(${JSON.stringify(question)}))`
	return `javascript:${encodeURIComponent(code)}`
}

/** Whether a page was opened by the test's own link, however the browser has written it. */
export function isTestLink(text: string): boolean {
	return /^(?:tel:)?(?:\+|%2B| )000$/i.test(text.trim().replace(/^000$/, '+000'))
}
