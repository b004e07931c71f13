// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Which keys the stored data are under, and the change to a new one. A key itself is never shown.

import type { KeyState, Rotation } from '../../privacy/rotation.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { route } from '../route.ts'
import { time } from '../schemas.ts'

const KeysSchema = z.object({
	activeKid: z.string().describe('The first 8 hexadecimal digits of a hash of the key'),
	activeSince: time.optional(),
	source: z.enum(['environment', 'volume']).describe('Only a key on the volume can be changed from here'),
	state: z.enum(['idle', 'running']),
	rows: z.object({ total: z.int(), left: z.int().describe('Not, or not wholly, under the active key yet') }),
	unreadable: z.int().describe('Rows that no loaded key can decrypt'),
	newerElsewhere: z.boolean().describe('Another server has started since with another active key'),
	earlier: z.array(z.object({
		kid: z.string(),
		loaded: z.boolean(),
		rows: z.int().describe('How many need it still'),
		backups: z.array(z.string()).describe('The backups on the volume that need it still'),
	})),
}).meta({ id: 'EncryptionKeys' })

export type KeysJson = z.infer<typeof KeysSchema>

export function adminKeyRoutes({ rotation }: { rotation: Pick<Rotation, 'state' | 'change'> }): Route[] {
	return [
		route({
			method: 'get',
			path: '/admin/keys',
			right: 'admin',
			summary: 'Which encryption keys are in use, and how far a change is',
			answer: { status: 200, schema: KeysSchema },
			refusals: ['forbidden', 'nextcloud_unavailable'],
			handle: async () => ({ status: 200, body: present(await rotation.state()) }),
		}),
		route({
			method: 'post',
			path: '/admin/keys/rotate',
			right: 'admin',
			summary: 'Make a new encryption key on the volume, and bring all rows under it; `GET` tells how far it is',
			answer: { status: 202, schema: KeysSchema },
			refusals: ['csrf', 'unsupported_media_type', 'forbidden', 'nextcloud_unavailable', 'wrong_state'],
			handle: async ({ caller }) => ({ status: 202, body: present(await rotation.change({ kind: 'admin', userId: caller.userId })) }),
		}),
	]
}

function present({ activeKid, activeSince, source, isRunning, rows, unreadable, hasNewer, earlier }: KeyState): KeysJson {
	return {
		activeKid,
		...(activeSince === undefined ? {} : { activeSince: activeSince.toISOString() }),
		source,
		state: isRunning ? 'running' : 'idle',
		rows,
		unreadable,
		newerElsewhere: hasNewer,
		earlier: earlier.map(({ kid, isLoaded, rows: count, backups }) => ({ kid, loaded: isLoaded, rows: count, backups })),
	}
}
