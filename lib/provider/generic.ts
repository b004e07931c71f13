// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ProviderKind } from './index.ts'

/** Any gateway of FreeSWITCH. It is asked nothing: what its gateway says and what the settings say is all that is known. */
export const generic: ProviderKind = {
	displayName: 'SIP gateway',
	hasApi: false,
	open: () => ({ kind: 'generic', displayName: generic.displayName }),
}
