// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How Nextcloud is looked at.

import type { Probe } from '../health.ts'
import type { Part } from '../report.ts'

import { finding } from '../findings.ts'
import { timed } from '../health.ts'
import { MOST_SKEW_MS } from './limits.ts'

/** The way to Nextcloud. */
export interface NextcloudInquiry {
	/** Nextcloud has refused our secret: a few questions more, and it locks our address out. */
	readonly isRefused: boolean
	request: (request: { path: string, timeoutMs?: number }) => Promise<{ status: number, data: unknown, dateMs?: number }>
}

const NEXTCLOUD_TIMEOUT_MS = 1_800
/** The Date header counts in whole seconds. */
const HALF_SECOND_MS = 500

/** One question that every known app may ask, and which tells whether it is enabled. */
export function nextcloudProbe(nextcloud: NextcloudInquiry, nowMs: () => number): Probe {
	return {
		id: 'nextcloud',
		ifSilent: 'nextcloud_down',
		look: async () => {
			if (nextcloud.isRefused) {
				return [{ id: 'nextcloud', ...finding('nextcloud_refused') }]
			}
			const began = nowMs()
			let answer
			try {
				answer = await timed(() => nextcloud.request({ path: '/apps/app_api/ex-app/state', timeoutMs: NEXTCLOUD_TIMEOUT_MS }))
			} catch {
				return [{ id: 'nextcloud', ...finding(nextcloud.isRefused ? 'nextcloud_refused' : 'nextcloud_down') }]
			}
			const { value: { status, data, dateMs }, latencyMs } = answer
			const part = (found: ReturnType<typeof finding>): Part[] => [{ id: 'nextcloud', ...found, latencyMs }]
			if (status !== 200) {
				return part(finding('nextcloud_down'))
			}
			if (Number(data) !== 1) {
				return part(finding('nextcloud_disabled'))
			}
			const skewMs = dateMs === undefined ? 0 : Math.abs(dateMs + HALF_SECOND_MS - (began + nowMs()) / 2)
			return part(skewMs > MOST_SKEW_MS + HALF_SECOND_MS ? finding('clock_skew', { seconds: Math.round(skewMs / 1000) }) : finding('nextcloud_ok'))
		},
	}
}
