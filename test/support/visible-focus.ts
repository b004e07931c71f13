// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Page } from 'playwright-core'

/**
 * Goes on by Tab, and looks whether it can be seen where the focus has come to: by an outline, a shadow or a border that
 * is not there without it.
 *
 * @return what has the focus but does not show it
 */
export async function tab(page: Page): Promise<string | undefined> {
	await page.evaluate(() => {
		const FOCUSABLE = 'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"])'
		/** What may show the focus of an element: itself, what holds nothing else that can have it, and what stands for a hidden input. */
		const placesOf = (element: Element): Element[] => {
			const places = [element]
			for (let place = element.parentElement; place !== null && place.querySelectorAll(FOCUSABLE).length === 1; place = place.parentElement) {
				places.push(place, ...place.children)
			}
			return places
		}
		const lookOf = (element: Element): string => placesOf(element).map((place) => {
			const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderTopColor, borderTopWidth, borderBottomColor, borderBottomWidth } = getComputedStyle(place)
			const outline = outlineStyle === 'none' ? [] : [outlineStyle, outlineWidth, outlineColor]
			return [...outline, boxShadow, borderTopColor, borderTopWidth, borderBottomColor, borderBottomWidth].join(' ')
		}).join('; ')
		const looks = new Map([...document.querySelectorAll(FOCUSABLE)].map((element) => [element, lookOf(element)]))
		Object.assign(globalThis, { focusFault: () => {
			const element = document.activeElement
			// Nextcloud's own header and skip links are not ours to judge.
			const isOurs = element?.closest('#content-vue, [role=dialog], .v-popper__popper') ?? null
			return element !== null && isOurs !== null && looks.get(element) === lookOf(element) ? element.outerHTML.slice(0, 160) : undefined
		} })
	})
	await page.keyboard.press('Tab')
	return page.evaluate(() => {
		document.getAnimations().forEach((animation) => animation instanceof CSSTransition && animation.finish())
		return (globalThis as unknown as { focusFault: () => string | undefined }).focusFault()
	})
}
