// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AuditTrail } from '../../privacy/audit-trail.ts'
import type { AuditVerification, AuditVerificationState } from '../../privacy/audit-verification.ts'
import type { AuditCheck } from '../../privacy/audit.ts'
import type { AuditLogItem } from '../audit-csv.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { AUDIT_ACTIONS, AUDIT_ACTORS } from '../../privacy/audit.ts'
import { AUDIT_COLUMNS } from '../audit-csv.ts'
import { allPages, CSV_PAGE, csvHeaders, writeCsv } from '../csv.ts'
import { route, TextStream } from '../route.ts'
import { moment, text, time, whole } from '../schemas.ts'

export interface AuditLogRoutesOptions {
	page: (query: { limit: number, cursor?: string | undefined, action?: string | undefined, actor?: readonly string[] | undefined, target?: readonly string[] | undefined, from?: Date | undefined, to?: Date | undefined }) => Promise<{ items: AuditLogItem[], nextCursor: string | undefined }>
	/** How somebody stands in the log. */
	referencesOf: (person: string) => Promise<string[]>
	verification: Pick<AuditVerification, 'state' | 'start'>
	/** When the oldest entry was written that is kept. */
	oldest: () => Promise<Date | undefined>
	/** What retention has taken off the log. */
	beginning: () => Promise<AuditCheck['dropped']>
	audit: AuditTrail
}

const person = text(256).min(1).describe('A user’s id in Nextcloud, or the beginning of a `ref`, from 4 digits on')

const Query = z.object({
	limit: whole(1, 200).default(50),
	cursor: z.string().max(100).optional(),
	action: z.enum(AUDIT_ACTIONS).optional(),
	actor: person.optional(),
	target: person.optional(),
	from: moment.optional(),
	to: moment.optional(),
})

const subject = {
	id: z.string().optional().describe('The user’s id in Nextcloud; left out once the user’s data were purged'),
	ref: z.string().describe('The same for the same user'),
}

const Dropped = z.object({
	upTo: z.int().describe('All entries up to this one were dropped'),
	at: time.describe('When the last of them were'),
	auditDays: z.int().describe('The setting `retention.auditDays` by which they were old enough'),
}).meta({ id: 'AuditDropped' })

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
	since: time.nullable().describe('When the oldest entry was written that is kept'),
	dropped: Dropped.optional(),
}).meta({ id: 'AuditLog' })

export type AuditLogJson = z.infer<typeof AuditLogSchema>
export type AuditEntryJson = AuditLogJson['items'][number]

const VerificationSchema = z.object({
	state: z.enum(['none', 'running', 'done', 'failed']).describe('Of the last check since the server was started; `failed`: the log could not be read to its end'),
	entries: z.int().optional().describe('Up to which entry all are in order, from the first one on that is kept; while it runs, so far'),
	dropped: Dropped.optional(),
	startedAt: time.optional(),
	checkedAt: time.optional().describe('When it was done'),
	seal: z.string().optional().describe('The beginning of the last entry’s hash, to be noted elsewhere'),
	broken: z.object({ seq: z.int(), why: z.string() }).optional().describe('The first entry that is not in order'),
}).meta({ id: 'AuditVerification' })

export type AuditVerificationJson = z.infer<typeof VerificationSchema>

/** So much of a hash tells two logs apart, and can be written down; `occ sipcall:audit:verify` prints as much. */
const SEAL_DIGITS = 16

export function auditLogRoutes({ page, referencesOf, verification, oldest, beginning, audit }: AuditLogRoutesOptions): Route[] {
	return [
		route({
			method: 'get',
			path: '/admin/audit-log',
			right: 'admin',
			summary: 'Who did what, newest first; as text/csv all of it, whatever the limit, which is itself an entry',
			query: Query,
			answer: { status: 200, schema: AuditLogSchema, alsoAs: 'text/csv' },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async ({ caller, query: { actor: by, target: whom, ...rest }, request, signal }) => {
				const [actor, target] = await Promise.all([by, whom].map((wanted) => wanted === undefined ? undefined : referencesOf(wanted)))
				const query = { ...rest, actor, target }
				if (request.accepts(['application/json', 'text/csv']) === 'text/csv') {
					const { action, from, to } = query
					// Read once before anything is written: a cursor that is none of ours leaves no entry behind.
					await page({ ...query, limit: 1 })
					await audit.write({ actor: { kind: 'admin', userId: caller.userId }, action: 'audit.exported', detail: { action, actor: namedBy(actor, by), target: namedBy(target, whom), from, to } })
					const pages = allPages((cursor) => page({ ...query, limit: CSV_PAGE, cursor }), query.cursor, signal)
					return { status: 200, headers: csvHeaders('audit-log.csv'), body: new TextStream(writeCsv(AUDIT_COLUMNS, pages)) }
				}
				const [{ items, nextCursor }, since, dropped] = await Promise.all([page(query), oldest(), beginning()])
				return { status: 200, body: { items: items.map((item) => ({ ...item, at: item.at.toISOString() })), nextCursor: nextCursor ?? null, since: since?.toISOString() ?? null, ...presentDropped(dropped) } }
			},
		}),
		route({
			method: 'get',
			path: '/admin/audit-log/verify',
			right: 'admin',
			summary: 'What the last check of the whole log has found, or how far it is',
			answer: { status: 200, schema: VerificationSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async () => ({ status: 200, body: present(verification.state) }),
		}),
		route({
			method: 'post',
			path: '/admin/audit-log/verify',
			right: 'admin',
			summary: 'Check the whole log, one run at a time; `GET` tells how far it is',
			answer: { status: 202, schema: VerificationSchema },
			refusals: ['csrf', 'unsupported_media_type', 'forbidden', 'nextcloud_unavailable'],
			handle: async () => ({ status: 202, body: present(verification.start()) }),
		}),
	]
}

function present(verified: AuditVerificationState): AuditVerificationJson {
	if (verified.state === 'none') {
		return { state: 'none' }
	}
	const { state, entries, startedAt } = verified
	return {
		state,
		entries,
		startedAt: startedAt.toISOString(),
		...(verified.state === 'done' ? presentDropped(verified.dropped) : {}),
		...(verified.state !== 'done'
			? {}
			: {
					checkedAt: verified.checkedAt.toISOString(),
					...(verified.entries === 0 ? {} : { seal: verified.hash.slice(0, SEAL_DIGITS) }),
					...(verified.broken === undefined ? {} : { broken: verified.broken }),
				}),
	}
}

function presentDropped(dropped: AuditCheck['dropped']): { dropped?: z.infer<typeof Dropped> } {
	return dropped === undefined ? {} : { dropped: { upTo: dropped.seq, at: dropped.droppedAt.toISOString(), auditDays: dropped.auditDays } }
}

/** What was typed may be a user's id, also where it looks like a reference: the log is never erased and holds none. */
function namedBy(references: readonly string[] | undefined, typed: string | undefined): string[] | undefined {
	const named = references?.filter((reference) => reference !== typed) ?? []
	return named.length > 0 ? named : undefined
}
