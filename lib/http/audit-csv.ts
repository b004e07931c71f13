// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Columns } from './csv.ts'

/** An entry of the audit log as it is shown: the ids are there while somebody may know them. */
export interface AuditLogItem {
	seq: number
	at: Date
	actor: { kind: string, ref: string | undefined, id: string | undefined }
	action: string
	target: { ref: string, id: string | undefined } | undefined
	detail: Readonly<Record<string, unknown>>
}

export const AUDIT_COLUMNS: Columns<AuditLogItem> = [
	['seq', ({ seq }) => seq],
	['at', ({ at }) => at.toISOString()],
	['actorKind', ({ actor }) => actor.kind],
	['actorRef', ({ actor }) => actor.ref],
	['actorId', ({ actor }) => actor.id],
	['action', ({ action }) => action],
	['targetRef', ({ target }) => target?.ref],
	['targetId', ({ target }) => target?.id],
	['detail', ({ detail }) => JSON.stringify(detail)],
]
