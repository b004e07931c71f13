// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { AuditVerification } from '../services/admin-api.ts'
import type { ApiFailure } from '../services/api.ts'
import type { Notice } from '../services/failure-words.ts'

import { computed, onScopeDispose, shallowRef } from 'vue'
import { getAuditVerification, verifyAuditLog } from '../services/admin-api.ts'
import { failureNotice } from '../services/failure-words.ts'
import { t } from '../services/l10n.ts'

/** While a check runs. */
const EVERY_MS = 1000

export interface AuditVerificationView {
	/** `undefined` until the server has answered. */
	verification: Readonly<Ref<AuditVerification | undefined>>
	isRunning: Readonly<Ref<boolean>>
	notice: Readonly<Ref<Notice | undefined>>
	start: () => Promise<void>
}

/** The check of the whole audit log: what the last one has found, or how far the one is that runs, whoever began it. */
export function useAuditVerification(): AuditVerificationView {
	const verification = shallowRef<AuditVerification>()
	const notice = shallowRef<Notice>()
	const leaving = new AbortController()
	let timer: ReturnType<typeof setTimeout> | undefined

	async function follow(request: Promise<AuditVerification>): Promise<void> {
		clearTimeout(timer)
		notice.value = undefined
		try {
			verification.value = await request
			if (verification.value.state === 'running' && !leaving.signal.aborted) {
				timer = setTimeout(() => void follow(getAuditVerification(leaving.signal)), EVERY_MS)
			}
		} catch (error) {
			if (!leaving.signal.aborted) {
				// How far it is now is unknown: it can be asked for, or begun, again.
				verification.value = undefined
				notice.value = failureNotice(error as ApiFailure, t('The state of the check is unknown.'))
			}
		}
	}

	onScopeDispose(() => {
		leaving.abort()
		clearTimeout(timer)
	})
	void follow(getAuditVerification(leaving.signal))

	return {
		verification,
		isRunning: computed(() => verification.value?.state === 'running'),
		notice,
		start: () => follow(verifyAuditLog()),
	}
}
