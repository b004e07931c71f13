// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { Device } from '../../calls/device.ts'
import type { DeviceRow } from '../entities/device.entity.ts'

import { DeviceEntity } from '../entities/device.entity.ts'
import { insertRow } from '../insert-row.ts'

export class DeviceRepository {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	/** A user's devices in the order in which they were given. */
	async of(userId: string): Promise<Device[]> {
		const rows = await this.#orm.em.fork().find(DeviceEntity, { userId }, { orderBy: { position: 'asc' } })
		return rows.map(deviceOf)
	}

	/** The same of many users; those without a device are not in it. */
	async ofMany(userIds: readonly string[]): Promise<Map<string, Device[]>> {
		const rows = await this.#orm.em.fork().find(DeviceEntity, { userId: { $in: [...userIds] } }, { orderBy: { position: 'asc' } })
		return new Map(Object.entries(Object.groupBy(rows, ({ userId }) => userId)).map(([userId, list = []]) => [userId, list.map(deviceOf)]))
	}

	/** @return whether the user has such a device */
	async setVerified(userId: string, id: string, verified: boolean): Promise<boolean> {
		return await this.#orm.em.fork().nativeUpdate(DeviceEntity, { userId, id }, { verified }) > 0
	}

	/** Replaces the list, all of it or nothing. */
	async replace(userId: string, devices: readonly Device[]): Promise<void> {
		await this.#orm.em.fork().transactional(async (em) => {
			// Two lists that are written at once must not meet at the one default that a user may have.
			await lockDevices(em, userId)
			await em.nativeDelete(DeviceEntity, { userId })
			for (const [position, device] of devices.entries()) {
				await insertRow(em, DeviceEntity, { ...device, userId, position })
			}
		})
	}
}

/** Held by the transaction until its end: nobody else changes this user's devices or their codes. */
export async function lockDevices(em: EntityManager, userId: string): Promise<void> {
	await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [`devices ${userId}`])
}

function deviceOf({ id, kind, label, address, isDefault, verified }: DeviceRow): Device {
	return { id, kind, label, address, isDefault, verified }
}
