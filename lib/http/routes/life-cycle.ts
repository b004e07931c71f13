// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What Nextcloud itself calls. These work before anything behind them is up.

import type { Route } from '../route.ts'

import { z } from 'zod'
import { route } from '../route.ts'

export interface LifeCycleRoutesOptions {
	init: () => void
	setEnabled: (isEnabled: boolean) => Promise<string>
	/** Lines for a person at a console. */
	status: () => Promise<string[]>
}

const Nothing = z.object({}).meta({ id: 'Nothing' })
const EnabledAnswer = z.object({ error: z.string() }).meta({ id: 'EnabledAnswer' })

export function lifeCycleRoutes({ init, setEnabled, status }: LifeCycleRoutesOptions): Route[] {
	return [
		route({
			method: 'post',
			path: '/init',
			right: 'nextcloud',
			summary: 'Set up; answered at once, progress is reported to Nextcloud',
			answer: { status: 200, schema: Nothing },
			handle: async () => {
				init()
				return { status: 200, body: {} }
			},
		}),
		route({
			method: 'put',
			path: '/enabled',
			right: 'nextcloud',
			summary: 'Enabled or disabled by an admin; only the field error counts',
			query: z.object({ enabled: z.enum(['0', '1']) }),
			answer: { status: 200, schema: EnabledAnswer },
			handle: async ({ query: { enabled } }) => ({ status: 200, body: { error: await setEnabled(enabled === '1') } }),
		}),
		route({
			method: 'post',
			path: '/occ/status',
			right: 'nextcloud',
			summary: 'occ sipcall:status',
			answer: { status: 200, schema: z.string() },
			handle: async () => ({ status: 200, body: `${(await status()).join('\n')}\n`, headers: { 'Content-Type': 'text/plain; charset=utf-8' } }),
		}),
	]
}
