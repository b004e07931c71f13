// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** A click or key that was meant for what was there before lands here when something new appears under it. */
const DEAF_MS = 500

/**
 * For a button that appears and gets the focus: only a fresh key or click counts, none that is held from before, and not
 * the second of two.
 *
 * @return to be put on the button's `keydown` and `click`, in the capture phase
 */
export function useFreshPress(): (event: KeyboardEvent | MouseEvent) => void {
	const openedAt = performance.now()
	return (event) => {
		const isStale = performance.now() - openedAt < DEAF_MS
		const isRepeated = event instanceof KeyboardEvent ? event.repeat : event.detail > 1
		const isPress = !(event instanceof KeyboardEvent) || event.key === 'Enter' || event.key === ' '
		if (isPress && (isStale || isRepeated)) {
			event.preventDefault()
			event.stopPropagation()
		}
	}
}
