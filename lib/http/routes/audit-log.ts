// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Route } from '../route.ts'

import { z } from 'zod'
import { AUDIT_ACTIONS, AUDIT_ACTORS } from '../../privacy/audit.ts'
import { route } from '../route.ts'
import { moment, time, whole } from '../schemas.ts'

interface Item {
	seq: number
	at: Date
	actor: { kind: string, ref: string | undefined, id: string | undefined }
	action: string
	target: { ref: string, id: string | undefined } | undefined
	detail: Readonly<Record<string, unknown>>
}

export interface AuditLogRoutesOptions {
	page: (query: { limit: number, cursor?: string | undefined, action?: string | undefined, from?: Date | undefined, to?: Date | undefined }) => Promise<{ items: Item[], nextCursor: string | undefined }>
}

const Query = z.object({
	limit: whole(1, 200).default(50),
	cursor: z.string().max(100).optional(),
	action: z.enum(AUDIT_ACTIONS).optional(),
	from: moment.optional(),
	to: moment.optional(),
})

const subject = {
	id: z.string().optional().describe('The user’s id in Nextcloud; left out once the user’s data were purged'),
	ref: z.string().describe('The same for the same user'),
}

const AuditLogSchema = z.object({
	items: z.array(z.object({
		seq: z.int(),
		at: time,
		actor: z.object({ ...subject, ref: subject.ref.optional(), kind: z.enum(AUDIT_ACTORS) }),
		action: z.enum(AUDIT_ACTIONS),
		target: z.object(subject).optional(),
		detail: z.record(z.string(), z.unknown()),
	})),
	nextCursor: z.string().nullable(),
}).meta({ id: 'AuditLog' })

export function auditLogRoutes({ page }: AuditLogRoutesOptions): Route[] {
	return [
		route({
			method: 'get',
			path: '/admin/audit-log',
			right: 'admin',
			summary: 'Who did what, newest first',
			query: Query,
			answer: { status: 200, schema: AuditLogSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ query }) => {
				const { items, nextCursor } = await page(query)
				return { status: 200, body: { items: items.map((item) => ({ ...item, at: item.at.toISOString() })), nextCursor: nextCursor ?? null } }
			},
		}),
	]
}
