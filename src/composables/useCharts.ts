// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ShallowRef } from 'vue'
import type { Charts } from '../services/scripts.ts'

import { ref, shallowRef } from 'vue'
import { fetchCharts } from '../services/scripts.ts'

/**
 * The script that draws, fetched by whoever has something to draw.
 *
 * @return `charts` undefined until it is there; `hasFailed` when it cannot be had, until `load` tries again
 */
export function useCharts(): { charts: Readonly<ShallowRef<Charts | undefined>>, hasFailed: Readonly<ShallowRef<boolean>>, load: () => Promise<void> } {
	const charts = shallowRef<Charts>()
	const hasFailed = ref(false)
	async function load(): Promise<void> {
		hasFailed.value = false
		try {
			charts.value = await fetchCharts()
		} catch {
			hasFailed.value = true
		}
	}
	void load()
	return { charts, hasFailed, load }
}
