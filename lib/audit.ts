// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The audit log, and what the parts tell it.

import type { MikroORM } from '@mikro-orm/postgresql'
import type { OnRefused } from './calls/noteworthy.ts'
import type { Clock } from './calls/ports.ts'
import type { SignInEvent } from './identity/ports.ts'
import type { Logger } from './logger.ts'
import type { BeforeTakeOver } from './policy/settings-store.ts'
import type { AuditReader, Mac } from './privacy/audit.ts'
import type { KeyRing } from './privacy/key-ring.ts'
import type { Releasers } from './startup.ts'

import { AuditRepository } from './db/repositories/audit-repository.ts'
import { AuditRetentionRepository } from './db/repositories/audit-retention-repository.ts'
import { storageFault } from './db/storage-fault.ts'
import { SipCallError } from './errors.ts'
import { settingChanges } from './policy/settings-changes.ts'
import { AnchorFile } from './privacy/audit-anchor.ts'
import { AuditRetention } from './privacy/audit-retention.ts'
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
	retention: AuditRetention
	/** How many entries the next run drops with these days, and how many are stored. */
	countDrops: (auditDays: number) => Promise<{ next: number, kept: number }>
	onRefused: OnRefused
	onLocked: (userId: string, until: Date) => void
	onVerified: (userId: string, deviceId: string) => void
	onSignIn: (event: SignInEvent) => void
	beforeTakeOver: BeforeTakeOver
}

/** Ready as soon as the database is; what waits is written at the end. */
export function startAudit({ orm, keys, volume, clock, logger }: { orm: MikroORM, keys: KeyRing, volume: string, clock: Clock, logger: Logger }, releasers: Releasers): Audit {
	const log = new AuditRepository({ orm, keys })
	const trail = new AuditTrail({
		store: log,
		now: () => clock.now(),
		isPassing: (error) => (error instanceof SipCallError && error.code === 'storage_unavailable') || storageFault(error) !== undefined,
		logger: logger.child({ component: 'audit' }),
	})
	releasers.add('audit log', () => trail.stop())
	const mac: Mac = (kid, text) => keys.auditMac(kid, text)
	const anchor = new AnchorFile(volume, mac)
	const reader: AuditReader = {
		after: (seq) => log.after(seq),
		checkpoints: (after, upTo) => log.checkpoints(after, upTo),
		beginning: () => log.beginning(),
		head: () => log.head(),
		noted: () => anchor.read(),
	}
	const check = () => checkAuditLog(reader, mac)
	const verification = new AuditVerification({ check, now: () => clock.now(), logger: logger.child({ component: 'audit' }) })
	releasers.add('check of the audit log', () => verification.stop())
	const store = new AuditRetentionRepository({ orm, keys, log })
	return {
		trail,
		log,
		check,
		verification,
		retention: new AuditRetention({ store, log, anchor, now: () => clock.now(), logger: logger.child({ component: 'audit' }) }),
		countDrops: (auditDays) => store.count(auditDays, clock.now()),
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
