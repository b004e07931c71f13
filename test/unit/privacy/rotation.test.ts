// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { RotationStore, StoredUnder } from '../../../lib/privacy/rotation.ts'

import { describe, expect, it } from 'vitest'
import { KeyRing } from '../../../lib/privacy/key-ring.ts'
import { Rotation } from '../../../lib/privacy/rotation.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

/** A rotation over a store that only says how things are, and what was done to it. */
function over(under: Partial<StoredUnder>, fault?: Error) {
	const keys = new KeyRing([Buffer.alloc(32, 1)])
	const done: string[] = []
	let [left, faults] = [under.left ?? 0, fault === undefined ? 0 : 2]
	const store: RotationStore = {
		count: async () => {
			if (faults-- > 0) {
				throw fault
			}
			return { newest: keys.activeKid, activeSince: undefined, total: 5, earlier: [], ...under, left }
		},
		async* pass() {
			done.push('pass')
			left = 0
			yield { changed: 5, unreadable: 0 }
		},
		register: async () => {},
		storeDerivedKeys: async () => {},
		retire: async () => {
			done.push('retire')
			return []
		},
	}
	const logger = new RecordedLog()
	const rotation = new Rotation({ store, keys, makeKey: undefined, settled: async () => {}, backups: async () => [], audit: { during: (_note, work) => work(), note: () => {} }, pauseMs: 0, waitMs: 0, logger })
	return { rotation, done, logger }
}

async function ended(rotation: Rotation): Promise<void> {
	while ((await rotation.state()).isRunning) {
		await new Promise(setImmediate)
	}
}

describe('bringing rows under the active key', () => {
	it('forgets earlier keys only when no row is left', async () => {
		const { rotation, done } = over({ left: 5 })
		rotation.wake()
		await ended(rotation)
		expect(done).toEqual(['pass', 'retire'])
	})

	it('touches nothing while another server’s key is newer', async () => {
		const { rotation, done } = over({ left: 5, newest: 'deadbeef' })
		rotation.wake()
		await ended(rotation)
		expect(done).toEqual([])
		expect(await rotation.state()).toMatchObject({ hasNewer: true, rows: { left: 5 } })
	})

	it('goes on by itself after a fault', async () => {
		const { rotation, done, logger } = over({ left: 5 }, new Error('away'))
		rotation.wake()
		await logger.waitFor(({ level }) => level === 'warn', 2)
		await ended(rotation)
		expect(done).toEqual(['pass', 'retire'])
	})

	it('does nothing more once it is stopped', async () => {
		const { rotation, done } = over({ left: 5 })
		rotation.wake()
		await rotation.stop()
		rotation.wake()
		expect(done.includes('retire')).toBe(false)
		expect((await rotation.state()).isRunning).toBe(false)
	})
})
