// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The audit log, and what the parts tell it.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { OnRefused } from './calls/noteworthy.ts'
import type { Clock } from './calls/ports.ts'
import type { SignInEvent } from './identity/ports.ts'
import type { Logger } from './logger.ts'
import type { BeforeTakeOver } from './policy/settings-store.ts'
import type { KeyRing } from './privacy/key-ring.ts'
import type { Releasers } from './startup.ts'

import { AuditRepository } from './db/repositories/audit-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { SipCallError } from './errors.ts'
import { settingChanges } from './policy/settings-changes.ts'
import { AuditTrail } from './privacy/audit-trail.ts'
import { AuditVerification } from './privacy/audit-verification.ts'
import { checkAuditLog } from './privacy/audit.ts'

export interface Audit {
	/** The way in. */
	trail: AuditTrail
	/** Where the entries are. */
	log: AuditRepository
	/** Goes through all entries. */
	check: () => ReturnType<typeof checkAuditLog>
	verification: AuditVerification
	onRefused: OnRefused
	onLocked: (userId: string, until: Date) => void
	onVerified: (userId: string, deviceId: string) => void
	onSignIn: (event: SignInEvent) => void
	beforeTakeOver: BeforeTakeOver
}

/** Ready as soon as the database is; what waits is written at the end. */
export function startAudit({ orm, keys, clock, logger }: { orm: MikroORM, keys: KeyRing, clock: Clock, logger: Logger }, releasers: Releasers): Audit {
	const log = new AuditRepository({ orm, keys })
	const trail = new AuditTrail({
		store: log,
		now: () => clock.now(),
		isPassing: (error) => (error instanceof SipCallError && error.code === 'storage_unavailable') || storageFault(error) !== undefined,
		logger: logger.child({ component: 'audit' }),
	})
	releasers.add('audit log', () => trail.stop())
	const check = () => checkAuditLog(log, (kid, text) => keys.auditMac(kid, text))
	const verification = new AuditVerification({ check, now: () => clock.now(), logger: logger.child({ component: 'audit' }) })
	releasers.add('check of the audit log', () => verification.stop())
	return {
		trail,
		log,
		check,
		verification,
		onRefused: (userId, refusal) => trail.note({ actor: { kind: 'user', userId }, action: refusal.code === 'emergency_number' ? 'call.emergency_refused' : 'call.refused', detail: { ...refusal } }),
		onLocked: (targetUserId, until) => trail.note({ actor: { kind: 'system' }, action: 'user.locked', targetUserId, detail: { until } }),
		onVerified: (userId, device) => trail.note({ actor: { kind: 'user', userId }, action: 'phone.verified', targetUserId: userId, detail: { device } }),
		onSignIn: ({ type, userId, signInId }) => trail.note(type === 'token_reused'
			// Nobody knows who of the two has shown it.
			? { actor: { kind: 'system' }, action: 'client.token_reused', targetUserId: userId, detail: { signIn: signInId } }
			: { actor: { kind: 'user', userId }, action: `client.${type}`, detail: { signIn: signInId } }),
		// Nextcloud tells nobody who has saved its form.
		beforeTakeOver: (before, after) => trail.write({ actor: { kind: 'nextcloud' }, action: 'settings.taken_over', detail: { changes: settingChanges(before, after) } }),
	}
}
