// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What is wrong, for an admin. Served from the first moment: it is asked most when something keeps the rest from starting.

import type { z } from 'zod'
import type { PartSchema } from '../health-schemas.ts'
import type { Route } from '../route.ts'

import { HealthSchema } from '../health-schemas.ts'
import { route } from '../route.ts'

type Part = z.infer<typeof PartSchema>

export interface HealthRoutesOptions {
	report: () => Promise<{ checkedAt: Date, state: Part['state'], parts: readonly Part[] }>
}

export function healthRoutes({ report }: HealthRoutesOptions): Route[] {
	return [
		route({
			method: 'get',
			path: '/admin/health',
			right: 'admin',
			summary: 'Every part in the order in which a call passes it: its state, what is wrong and what to do',
			answer: { status: 200, schema: HealthSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async () => {
				const { checkedAt, state, parts } = await report()
				return { status: 200, body: { checkedAt: checkedAt.toISOString(), state, parts } }
			},
		}),
	]
}
