// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { setLanguage, setLocale, unregister } from '@nextcloud/l10n'
import { registerLanguage } from '../../src/services/l10n.ts'

/** Lets the page's words be spoken in a language, as Nextcloud names it. */
export function speak(language: string): void {
	unregister('sipcall')
	setLanguage(language)
	setLocale(language)
	registerLanguage()
}
