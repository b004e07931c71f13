// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Page } from 'playwright-core'

/** What a person with a screen reader or a keyboard would stumble over, as far as a script can see it: one line for each. */
export function layoutFaults(page: Page): Promise<string[]> {
	return page.evaluate(() => {
		const faults: string[] = []
		const root = document.querySelector('#content-vue') ?? document.body
		const isShown = (element: Element) => element.checkVisibility() && element.closest('[aria-hidden=true], [inert]') === null
		const nameOf = (element: Element) => (element.getAttribute('aria-label') ?? '') || (element.textContent?.trim() ?? '')
			|| ((element as HTMLInputElement).labels?.[0]?.textContent?.trim() ?? '')
		for (const element of root.querySelectorAll('button, a[href], input, select, [role=button]')) {
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
		for (const element of root.querySelectorAll('ul, ol')) {
			if ([...element.children].some(({ tagName }) => tagName !== 'LI')) {
				faults.push(`a list with more than items: ${element.outerHTML.slice(0, 120)}`)
			}
		}
		for (const element of root.querySelectorAll('[aria-hidden=true] button, [aria-hidden=true] a[href]')) {
			if (element.closest('[inert]') === null && (element as HTMLElement).tabIndex >= 0) {
				faults.push(`hidden but in the Tab order: ${element.outerHTML.slice(0, 120)}`)
			}
		}
		const main = document.querySelector('#app-content-vue')
		for (const element of [document.scrollingElement, main]) {
			if (element !== null && element.scrollWidth > element.clientWidth) {
				faults.push(`scrolls sideways: ${element.tagName} ${element.scrollWidth} > ${element.clientWidth}`)
			}
		}
		for (const element of main?.querySelectorAll('*') ?? []) {
			const box = element.getBoundingClientRect()
			if (isShown(element) && element.closest('.hidden-visually') === null && box.width > 0 && (box.left < -1 || box.right > window.innerWidth + 1)) {
				faults.push(`cut: ${element.outerHTML.slice(0, 120)}`)
			}
		}
		return faults
	})
}
