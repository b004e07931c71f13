// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { Attempt, Check, Verification, VerificationStore } from '../../calls/device-verification.ts'
import type { DeviceVerificationRow } from '../entities/device-verification.entity.ts'

import { DeviceVerificationEntity } from '../entities/device-verification.entity.ts'
import { DeviceEntity } from '../entities/device.entity.ts'
import { lockDevices } from './device-repository.ts'

/** Codes of phones. What is expired counts as not there. */
export class VerificationRepository implements VerificationStore {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	async begin(verification: Verification): Promise<void> {
		await this.#orm.em.fork().transactional(async (em) => {
			await lockDevices(em, verification.userId)
			await em.nativeDelete(DeviceVerificationEntity, { deviceId: verification.deviceId })
			await em.insert(DeviceVerificationEntity, verification)
		})
	}

	async ofUser(userId: string, at: Date): Promise<Verification[]> {
		return this.#orm.em.fork().find(DeviceVerificationEntity, { userId, expiresAt: { $gt: at } })
	}

	async attempt(userId: string, deviceId: string, at: Date, check: Check): Promise<Attempt> {
		return this.#orm.em.fork().transactional(async (em) => {
			// Held by whoever changes the list as well: the number that is checked is the one that becomes verified.
			await lockDevices(em, userId)
			const stored = await em.findOne(DeviceVerificationEntity, { deviceId, userId, expiresAt: { $gt: at } })
			const device = await em.findOne(DeviceEntity, { id: deviceId, userId, kind: 'phone' })
			return stored === null || device === null ? { result: 'none' } : settle(em, stored, check(stored, device.address))
		})
	}

	async forget(legUuid: string): Promise<void> {
		await this.#orm.em.fork().nativeDelete(DeviceVerificationEntity, { legUuid })
	}

	async forgetExpired(at: Date): Promise<void> {
		await this.#orm.em.fork().nativeDelete(DeviceVerificationEntity, { expiresAt: { $lte: at } })
	}
}

async function settle(em: EntityManager, stored: DeviceVerificationRow, verdict: ReturnType<Check>): Promise<Attempt> {
	const { deviceId, triesLeft, legUuid, calledAt } = stored
	if (verdict === 'stale') {
		await em.nativeDelete(DeviceVerificationEntity, { deviceId })
		return { result: 'none' }
	}
	if (triesLeft === 0) {
		return { result: 'spent', calledAt }
	}
	if (verdict === 'wrong') {
		await em.nativeUpdate(DeviceVerificationEntity, { deviceId }, { triesLeft: triesLeft - 1 })
		return { result: 'wrong', triesLeft: triesLeft - 1, calledAt }
	}
	await em.nativeDelete(DeviceVerificationEntity, { deviceId })
	await em.nativeUpdate(DeviceEntity, { id: deviceId }, { verified: true })
	return { result: 'right', legUuid }
}
