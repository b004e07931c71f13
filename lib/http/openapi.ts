// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Route } from './route.ts'

import { z } from 'zod'
import { createDocument } from 'zod-openapi'
import { PROBLEMS } from './problem.ts'
import { ProblemSchema } from './schemas.ts'

/** Codes that any route may answer with. */
const EVERYWHERE = ['invalid_request', 'not_authenticated', 'forbidden', 'method_not_allowed', 'storage_unavailable', 'nextcloud_unavailable', 'shutting_down']

function contentOf({ schema, mediaType, alsoAs }: Route['answer']): Record<string, { schema: z.ZodType }> {
	return {
		[mediaType ?? (schema instanceof z.ZodString ? 'text/plain' : 'application/json')]: { schema },
		...(alsoAs === undefined ? {} : { [alsoAs]: { schema: z.string() } }),
	}
}

/** The API's description (OpenAPI 3.1), from the same schemas that check requests. */
export function openApiDocument(routes: readonly Route[], version: string): unknown {
	const paths: Record<string, Record<string, unknown>> = {}
	for (const route of routes) {
		const statuses = new Map<number, string[]>()
		for (const code of new Set([...EVERYWHERE, ...route.refusals])) {
			const status = PROBLEMS[code as keyof typeof PROBLEMS].status
			statuses.set(status, [...statuses.get(status) ?? [], code])
		}
		paths[route.path] = {
			...paths[route.path],
			[route.method]: {
				summary: route.summary,
				security: route.right === 'public' ? [] : route.right === 'nextcloud' ? [{ appApi: [] }] : [{ appApi: [] }, { bearer: [] }],
				requestParams: {
					...(route.params instanceof z.ZodObject ? { path: route.params } : {}),
					...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
					...(route.headers instanceof z.ZodObject ? { header: route.headers } : {}),
				},
				...(route.body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }),
				responses: {
					[route.answer.status]: { description: 'Done', content: contentOf(route.answer) },
					...Object.fromEntries([...statuses].map(([status, codes]) => [
						status,
						{ description: codes.map((code) => `\`${code}\``).join(', '), content: { 'application/problem+json': { schema: ProblemSchema } } },
					])),
				},
			},
		}
	}
	return createDocument({
		openapi: '3.1.0',
		info: { title: 'SIPCall', version, description: 'Phone from Nextcloud through FreeSWITCH.', license: { name: 'AGPL-3.0-or-later' } },
		components: {
			securitySchemes: {
				appApi: { type: 'apiKey', in: 'header', name: 'AUTHORIZATION-APP-API', description: 'Added by Nextcloud’s proxy for the signed-in user' },
				bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From POST /auth; for the same paths beneath /api/v1' },
			},
		},
		paths,
	})
}
