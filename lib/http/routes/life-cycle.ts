// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What Nextcloud itself calls. These work before anything behind them is up.

import type { Route } from '../route.ts'

import { z } from 'zod'
import { route } from '../route.ts'

export interface LifeCycleRoutesOptions {
	init: () => void
	setEnabled: (isEnabled: boolean) => Promise<string>
	/** By the check's id, as AppAPI wants it. */
	setupChecks: () => Promise<z.input<typeof SetupChecks>>
}

const Nothing = z.object({}).meta({ id: 'Nothing' })
const SetupChecks = z.record(z.string(), z.object({
	status: z.string(),
	text: z.string(),
	link_url: z.string(),
	link_label: z.string(),
})).meta({ id: 'SetupChecks' })
const EnabledAnswer = z.object({ error: z.string() }).meta({ id: 'EnabledAnswer' })

export function lifeCycleRoutes({ init, setEnabled, setupChecks }: LifeCycleRoutesOptions): Route[] {
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
			method: 'get',
			path: '/setup_checks',
			right: 'nextcloud',
			summary: 'What is wrong, for Nextcloud’s own overview of its set-up',
			answer: { status: 200, schema: SetupChecks },
			handle: async () => ({ status: 200, body: await setupChecks() }),
		}),
	]
}
