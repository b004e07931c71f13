// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ComputedRef, FunctionalComponent } from 'vue'
import type { Route } from '../services/routes.ts'

import { computed, ref } from 'vue'
import { pathOf, readAddress } from '../services/routes.ts'

export type KnownRoute = Exclude<Route, { name: 'unknown' }>

const pathname = ref(window.location.pathname)
const address = computed(() => readAddress(pathname.value))

window.addEventListener('popstate', () => {
	pathname.value = window.location.pathname
})

export interface Router {
	route: ComputedRef<Route>
	href: (route: KnownRoute) => string
	/** Shows a route; going there again adds nothing to the history. */
	goTo: (route: KnownRoute) => void
}

/** The page's own small router: there is one address bar, so there is one of these. */
export function useRouter(): Router {
	return { route: computed(() => address.value.route), href, goTo }
}

function href(route: KnownRoute): string {
	return address.value.root + pathOf(route)
}

function goTo(route: KnownRoute): void {
	const target = href(route)
	if (target !== window.location.pathname) {
		window.history.pushState(null, '', target)
	}
	pathname.value = target
}

/**
 * Takes what a phone link brought (`?number=`) out of the address bar, so that a reload does not ask again and the number
 * stays nowhere.
 *
 * @return the link's text as it came; undefined when no link opened the page
 */
export function takeLinkedNumber(): string | undefined {
	const query = new URLSearchParams(window.location.search)
	const number = query.get('number')
	if (number === null) {
		return undefined
	}
	query.delete('number')
	window.history.replaceState(null, '', window.location.pathname + (query.size === 0 ? '' : `?${query}`) + window.location.hash)
	return number.trim() === '' ? undefined : number
}

/**
 * What `NcAppNavigationItem` draws a link with when it is given `to`. It then marks the current page and closes the
 * navigation on a phone by itself, which it does for no other kind of link.
 */
export const RouterLink: FunctionalComponent<{ to: KnownRoute, custom?: boolean }> = ({ to }, { slots }) => slots.default?.({
	href: href(to),
	isActive: isShown(to),
	navigate: () => goTo(to),
})
RouterLink.props = ['to', 'custom']

/** Details stand beside the list, so the list's entry stays marked. */
function isShown(to: KnownRoute): boolean {
	const { route } = address.value
	if (to.name === 'admin') {
		return route.name === 'admin' && route.page === to.page
	}
	return to.name === route.name || (to.name === 'calls' && route.name === 'call')
}
