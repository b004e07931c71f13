// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { Health } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'
import type { ShownFinding } from '../services/health-words.ts'

import { getRootUrl } from '@nextcloud/router'
import { ref, shallowRef } from 'vue'
import { getHealth } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { shownBrowser, shownPart } from '../services/health-words.ts'
import { t } from '../services/l10n.ts'

const PATIENCE_MS = 10_000

export interface HealthState {
	health: Readonly<Ref<Health | undefined>>
	/** The browser's way to Nextcloud, and the parts; empty until the first answer. */
	findings: Readonly<Ref<readonly ShownFinding[]>>
	notice: Readonly<Ref<Notice | undefined>>
	isChecking: Readonly<Ref<boolean>>
	check: () => Promise<void>
}

/** The state of every part, as it was when the page was opened or “Run all checks” was pressed last. */
export function useHealth(): HealthState {
	const health = shallowRef<Health>()
	const findings = shallowRef<readonly ShownFinding[]>([])
	const notice = shallowRef<Notice>()
	const isChecking = ref(false)

	async function check(): Promise<void> {
		if (isChecking.value) {
			return
		}
		isChecking.value = true
		notice.value = undefined
		// One after the other: on a slow line the one would be measured into the other.
		const browser = shownBrowser(await nextcloudMs())
		try {
			health.value = await getHealth()
			findings.value = [browser, ...health.value.parts.map(shownPart)]
		} catch (error) {
			findings.value = [browser]
			notice.value = failureNotice(error as ApiFailure, t('The parts could not be checked.'))
		}
		isChecking.value = false
	}

	void check()
	return { health, findings, notice, isChecking, check }
}

/** @return milliseconds for an answer of Nextcloud's own, which asks nothing of its database; undefined = there is none */
async function nextcloudMs(): Promise<number | undefined> {
	const began = performance.now()
	try {
		const answer = await fetch(`${getRootUrl()}/status.php`, { cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(PATIENCE_MS) })
		await answer.arrayBuffer()
		return answer.status < 500 ? Math.round(performance.now() - began) : undefined
	} catch {
		return undefined
	}
}
