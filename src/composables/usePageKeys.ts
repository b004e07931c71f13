// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { onScopeDispose } from 'vue'

/** Nextcloud's own switch: some people's screen readers need all the keys. */
declare global {
	interface Window { OCP?: { Accessibility?: { disableKeyboardShortcuts?: () => boolean } } }
}

/**
 * Keys that work wherever somebody is on the page. None of them dials, and none hangs up by a single key.
 *
 * @param keys what `/`, Shift+Esc, `P`, `D` and `?` do
 */
export function usePageKeys(keys: { field: () => void, hangUp: () => void, hold: () => void, keypad: () => void, help: () => void }): void {
	const areOff = () => window.OCP?.Accessibility?.disableKeyboardShortcuts?.() === true
	// On its way down: what is open, the keypad for one, takes every Escape for itself.
	function onHangUp(event: KeyboardEvent): void {
		if (event.key === 'Escape' && event.shiftKey && !areOff()) {
			event.preventDefault()
			keys.hangUp()
		}
	}
	function onKeydown(event: KeyboardEvent): void {
		const isTyping = event.target instanceof Element && event.target.matches('input, textarea, select, [contenteditable]')
		if (event.defaultPrevented || areOff() || isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('[role=dialog][aria-modal=true]') !== null) {
			return
		}
		const act = { '/': keys.field, p: keys.hold, d: keys.keypad, '?': keys.help }[event.key.toLowerCase()]
		if (act !== undefined && !event.repeat) {
			event.preventDefault()
			act()
		}
	}
	document.addEventListener('keydown', onHangUp, { capture: true })
	document.addEventListener('keydown', onKeydown)
	onScopeDispose(() => {
		document.removeEventListener('keydown', onHangUp, { capture: true })
		document.removeEventListener('keydown', onKeydown)
	})
}
