// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What an admin has to write into FreeSWITCH's configuration.

import type { Snippet } from '../../esl/config-snippets.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { route } from '../route.ts'

const SnippetsSchema = z.object({
	snippets: z.array(z.object({
		id: z.enum(['event_socket', 'acl', 'user', 'gateway', 'json_cdr']).describe('What it is for'),
		file: z.string().describe('Below FreeSWITCH’s folder `conf`'),
		text: z.string().describe('XML; what is to be filled in stands in capitals, a secret never stands there'),
	})),
}).meta({ id: 'FreeSwitchSnippets' })

export type SnippetsJson = z.infer<typeof SnippetsSchema>

export function snippetRoutes({ snippets }: { snippets: () => Snippet[] }): Route[] {
	return [
		route({
			method: 'get',
			path: '/admin/freeswitch/snippets',
			right: 'admin',
			summary: 'FreeSWITCH’s configuration for SIPCall, with the values of the settings',
			answer: { status: 200, schema: SnippetsSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async () => ({ status: 200, body: { snippets: snippets() } }),
		}),
	]
}
