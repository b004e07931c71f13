// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'

import { onScopeDispose, ref } from 'vue'
import { serverNow } from '../services/api.ts'

/** The server's time in milliseconds, fresh enough for a timer that shows seconds. */
export function useServerClock(): Readonly<Ref<number>> {
	const now = ref(serverNow())
	const timer = setInterval(() => {
		now.value = serverNow()
	}, 250)
	onScopeDispose(() => clearInterval(timer))
	return now
}
