// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Which address shows what. Pure: the browser's history is the business of `useRouter`. */

export type Route
	= | { name: 'calls' }
		| { name: 'missed' }
		/** The list with one call's details beside it; notifications link here. */
		| { name: 'call', uuid: string }
		/** The settings, over the list. */
		| { name: 'settings', section: SettingsSection }
		/** Shown to administrators; to everybody else it is unknown. */
		| { name: 'admin', page: AdminPage }
		| { name: 'unknown' }

export const SETTINGS_SECTIONS = ['devices', 'caller-id', 'links', 'calls', 'notifications', 'privacy', 'shortcuts'] as const
export type SettingsSection = typeof SETTINGS_SECTIONS[number]

export const ADMIN_PAGES = ['overview', 'users', 'policy', 'connection', 'privacy', 'audit', 'doctor'] as const
export type AdminPage = typeof ADMIN_PAGES[number]

/** Nextcloud's address of the page, whatever folder it is installed in, with and without `index.php`. */
const PAGE = /^(.*\/apps\/app_api\/embedded\/sipcall\/calls)(?:\/(.*?))?\/?$/
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/**
 * @param pathname of the whole address
 * @return where the page begins in it, without a slash at the end, and what it asks for
 */
export function readAddress(pathname: string): { root: string, route: Route } {
	const [, root, below = ''] = PAGE.exec(pathname) ?? []
	return root === undefined ? { root: pathname.replace(/\/$/, ''), route: { name: 'calls' } } : { root, route: routeOf(below) }
}

function routeOf(path: string): Route {
	const [first = '', second, ...more] = path.split('/')
	if (more.length > 0) {
		return { name: 'unknown' }
	}
	if (second === undefined) {
		return first === '' ? { name: 'calls' } : first === 'missed' ? { name: 'missed' } : { name: 'unknown' }
	}
	const section = SETTINGS_SECTIONS.find((known) => known === second)
	if (first === 'settings' && section !== undefined) {
		return { name: 'settings', section }
	}
	const page = ADMIN_PAGES.find((known) => known === second)
	if (first === 'admin' && page !== undefined) {
		return { name: 'admin', page }
	}
	const uuid = second.toLowerCase()
	return first === 'call' && UUID.test(uuid) ? { name: 'call', uuid } : { name: 'unknown' }
}

/** The path below the page's root. */
export function pathOf(route: Exclude<Route, { name: 'unknown' }>): string {
	switch (route.name) {
		case 'calls':
			return ''
		case 'missed':
			return '/missed'
		case 'call':
			return `/call/${route.uuid}`
		case 'settings':
			return `/settings/${route.section}`
		case 'admin':
			return `/admin/${route.page}`
	}
}
