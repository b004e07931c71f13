// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Snippet } from './admin-api.ts'

import { t } from './l10n.ts'

/** What a piece of FreeSWITCH's configuration is for, and what makes it count. */
export function snippetWords(id: Snippet['id']): string {
	switch (id) {
		case 'event_socket':
			return t('Who reaches the Event Socket, and with which password. Afterwards: reload mod_event_socket')
		case 'acl':
			return t('The address from which SIPCall connects, as its own machine sees it. Put the list between the others; afterwards: reloadacl')
		case 'user':
			return t('A user who may do what SIPCall needs and nothing else; the password of the Event Socket itself allows everything. Afterwards: reloadxml')
		case 'gateway':
			return t('The way to the phone company, watched by pings. Afterwards: sofia profile external rescan')
		case 'json_cdr':
			return t('Call records tell how calls ended that nobody had heard of. Afterwards: load mod_json_cdr')
	}
}
