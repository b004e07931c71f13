// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Page } from 'playwright-core'

/** What a person with a screen reader or a keyboard would stumble over, as far as a script can see it: one line for each. */
export function layoutFaults(page: Page): Promise<string[]> {
	return page.evaluate(() => {
		const faults: string[] = []
		const areas = [...document.querySelectorAll('#app-content-vue, #app-sidebar-vue, [role=dialog], .v-popper__popper--shown')]
		const all = (selector: string) => document.querySelectorAll(selector.split(', ').flatMap((one) => ['#content-vue', '[role=dialog]', '.v-popper__popper--shown'].map((root) => `${root} ${one}`)).join(', '))
		const isShown = (element: Element) => element.checkVisibility() && element.closest('[aria-hidden=true], [inert]') === null
		const nameOf = (element: Element) => (element.getAttribute('aria-label') ?? '') || (element.textContent?.trim() ?? '')
			|| ((element as HTMLInputElement).labels?.[0]?.textContent?.trim() ?? '')
		for (const element of all('button, a[href], input, select, [role=button]')) {
			if (isShown(element) && nameOf(element) === '') {
				faults.push(`no name: ${element.outerHTML.slice(0, 120)}`)
			}
			const { width, height } = element.getBoundingClientRect()
			if (isShown(element) && (width < 24 || height < 24)) {
				faults.push(`too small: ${element.outerHTML.slice(0, 120)}`)
			}
		}
		const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
		faults.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: #${id}`))
		for (const element of all('ul, ol')) {
			if ([...element.children].some(({ tagName }) => tagName !== 'LI')) {
				faults.push(`a list with more than items: ${element.outerHTML.slice(0, 120)}`)
			}
		}
		for (const element of all('[aria-hidden=true] button, [aria-hidden=true] a[href]')) {
			if (element.checkVisibility() && element.closest('[inert]') === null && (element as HTMLElement).tabIndex >= 0) {
				faults.push(`hidden but in the Tab order: ${element.outerHTML.slice(0, 120)}`)
			}
		}
		for (const element of [document.scrollingElement, ...areas]) {
			if (element !== null && element.scrollWidth > element.clientWidth) {
				faults.push(`scrolls sideways: ${element.tagName} ${element.scrollWidth} > ${element.clientWidth}`)
			}
		}
		for (const area of areas) {
			const edges = area.getBoundingClientRect()
			for (const element of area.querySelectorAll('*')) {
				const box = element.getBoundingClientRect()
				if (!isShown(element) || element.closest('.hidden-visually') !== null || box.width === 0) {
					continue
				}
				const isOutside = box.left < Math.max(0, edges.left) - 1 || box.right > Math.min(window.innerWidth, edges.right) + 1
				const hasText = [...element.childNodes].some(({ nodeType, textContent }) => nodeType === Node.TEXT_NODE && textContent?.trim() !== '')
				const { overflowX, overflowY } = getComputedStyle(element)
				// A label within an empty field of a page is one of these, and is read out whole.
				const isClipped = area.id !== 'app-content-vue' && hasText && ((overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) || (overflowY === 'hidden' && element.scrollHeight > element.clientHeight + 1))
				if (isOutside || isClipped) {
					faults.push(`${isOutside ? 'cut' : 'clipped'}: ${element.outerHTML.slice(0, 120)}`)
				}
			}
		}
		return faults
	})
}
