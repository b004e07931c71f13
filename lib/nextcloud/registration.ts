// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What SIPCall puts into Nextcloud when it is enabled: its place in the menu, its page, a form of plain settings, its
// occ commands. All of these are upserts, so they are repeated at every enable and after every update.

import type { Logger } from '../logger.ts'
import type { OcsClient } from './ocs-client.ts'

import { SipCallError } from '../errors.ts'
import { OCC_COMMANDS } from './occ-commands.ts'

/** The menu's name is part of the page's address: `/apps/app_api/embedded/sipcall/calls`. */
const MENU = 'calls'
const APP_API = '/apps/app_api/api/v1'
/** Setup checks came after Nextcloud 32; a server without them answers 404. */
const NOT_KNOWN_HERE = 404

interface Entry {
	path: string
	body: Record<string, unknown>
	/** A server that does not know this kind of entry is no fault. */
	isOptional?: true
}

/** Non-secret settings in Nextcloud's own form. An id that begins with `sipcall_` loses what is typed (seen live). */
const FORM = {
	id: 'calling_settings',
	priority: 10,
	section_type: 'admin',
	section_id: 'declarative_settings',
	title: 'SIPCall',
	description: 'Who may call where. All other settings are on SIPCall’s own page.',
	doc_url: 'https://github.com/sipcall/sipcall/blob/main/docs/admin/settings.md',
	fields: [
		{ id: 'homeCountry', title: 'Home country', description: 'Two letters, for numbers without a country code', type: 'text', placeholder: 'DE', default: '' },
		{ id: 'allowedCountries', title: 'Countries that may be called', description: 'Two letters each, separated by commas', type: 'text', placeholder: 'DE, AT, CH', default: '' },
		{ id: 'allowedGroups', title: 'Groups that may call', description: 'Names of Nextcloud groups, separated by commas', type: 'text', placeholder: 'admin', default: 'admin' },
		{ id: 'callsPerMinute', title: 'Calls a minute', description: 'For each user', type: 'number', default: 10 },
		{ id: 'callsPerDay', title: 'Calls a day', description: 'For each user', type: 'number', default: 200 },
		{ id: 'maxCallSec', title: 'Longest call', description: 'In seconds', type: 'number', default: 3600 },
	],
} as const

function entries(appVersion: string): Entry[] {
	return [
		{ path: '/ui/top-menu', body: { name: MENU, displayName: 'SIPCall', icon: 'img/app.svg', adminRequired: 0 } },
		{ path: '/ui/script', body: { type: 'top_menu', name: MENU, path: 'js/sipcall-main', afterAppId: '' } },
		{ path: '/ui/style', body: { type: 'top_menu', name: MENU, path: 'css/sipcall-main' } },
		// The same for all users and readable by the page: no secret, nothing of one user.
		{ path: '/ui/initial-state', body: { type: 'top_menu', name: MENU, key: 'start', value: { version: appVersion } } },
		{ path: '/ui/settings', body: { formScheme: FORM } },
		...OCC_COMMANDS.map(({ name, description, handler, arguments: given = [], options = [] }): Entry => ({
			path: '/occ_command',
			body: { name, description, hidden: 0, arguments: given, options, usages: [], execute_handler: handler },
		})),
		{ path: '/setup_check', body: {}, isOptional: true },
	]
}

/**
 * Registers everything, one after the other.
 *
 * @throws {SipCallError} `nextcloud_unavailable` with the entry that was refused
 */
export async function registerInNextcloud(ocs: OcsClient, appVersion: string, logger: Logger): Promise<void> {
	for (const { path, body, isOptional } of entries(appVersion)) {
		const { status } = await ocs.request({ method: 'POST', path: `${APP_API}${path}`, body })
		if (status === NOT_KNOWN_HERE && isOptional === true) {
			logger.info('This Nextcloud does not know a kind of entry', { path })
		} else if (status !== 200) {
			throw new SipCallError('nextcloud_unavailable', `Nextcloud refused the entry ${path} (${status}). Enable the app again, and see Nextcloud’s log if that does not help.`)
		}
	}
}
