// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { createApp } from 'vue'
import App from './App.vue'
import { RouterLink } from './composables/useRouter.ts'
import { registerLanguage } from './services/l10n.ts'

/**
 * AppAPI's page has an empty `#content` inside Nextcloud's own `#content`. Both would get Nextcloud's frame (position,
 * margins, rounded corners), so the inner one gives up its id and becomes a plain box of full width, in which
 * `NcContent` builds the frame once.
 */
function takeMountPoint(): HTMLElement {
	const inner = [...document.querySelectorAll<HTMLElement>('#content')].at(-1)
	if (inner === undefined) {
		throw new Error('The page has no #content')
	}
	inner.id = 'sipcall'
	inner.style.inlineSize = '100%'
	return inner
}

registerLanguage()
createApp(App).component('RouterLink', RouterLink).mount(takeMountPoint())
