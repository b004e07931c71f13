// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ShallowRef } from 'vue'
import type { Manage } from '../services/scripts.ts'

import { ref, shallowRef } from 'vue'
import { fetchManage } from '../services/scripts.ts'

const manage = shallowRef<Manage>()

/**
 * The script with the settings and the administration, fetched when the first of them is shown.
 *
 * @return `manage` undefined until it is there; `hasFailed` when it cannot be had, until `load` tries again
 */
export function useManage(): { manage: Readonly<ShallowRef<Manage | undefined>>, hasFailed: Readonly<ShallowRef<boolean>>, load: () => Promise<void> } {
	const hasFailed = ref(false)
	async function load(): Promise<void> {
		hasFailed.value = false
		try {
			manage.value = await fetchManage()
		} catch {
			hasFailed.value = true
		}
	}
	void load()
	return { manage, hasFailed, load }
}
