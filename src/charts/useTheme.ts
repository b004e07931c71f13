// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ShallowRef } from 'vue'
import type { Theme } from './look.ts'

import { onMounted, onUnmounted, shallowRef } from 'vue'
import { readTheme } from './look.ts'

/** What the system can change by itself, at sunset or by a switch. */
const SCHEMES = ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', '(forced-colors: active)']

/** The theme as it is now: a canvas does not follow variables, so they are read again when they change. */
export function useTheme(place: Readonly<ShallowRef<HTMLElement | null>>): Readonly<ShallowRef<Theme | undefined>> {
	const theme = shallowRef<Theme>()
	const read = () => {
		theme.value = place.value === null ? undefined : readTheme(place.value)
	}
	const queries = SCHEMES.map((scheme) => window.matchMedia(scheme))
	// Nextcloud writes the chosen theme into the body's attributes.
	const observer = new MutationObserver(read)
	onMounted(() => {
		read()
		queries.forEach((query) => query.addEventListener('change', read))
		for (const element of [document.documentElement, document.body]) {
			observer.observe(element, { attributeFilter: ['class', 'style', 'dir', 'data-themes', 'data-theme-dark', 'data-theme-light', 'data-theme-default'] })
		}
	})
	onUnmounted(() => {
		queries.forEach((query) => query.removeEventListener('change', read))
		observer.disconnect()
	})
	return theme
}
