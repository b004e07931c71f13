// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The keys on the pool's connections, also when they change while the connections are in use.

import type { Pool, PoolClient } from 'pg'
import type { KeyRing } from '../privacy/key-ring.ts'

import { setTimeout as delay } from 'node:timers/promises'
import { SipCallError } from '../errors.ts'

/** Longer than any statement or idle transaction may last. */
const SPREAD_LIMIT_MS = 65_000
const LOOK_MS = 20

export class ConnectionKeys {
	readonly #keys: KeyRing
	readonly #origin: string | undefined
	/** Which version of the keys a connection has. */
	readonly #versions = new WeakMap<PoolClient, number>()
	readonly #taken = new Set<PoolClient>()

	/**
	 * @param origin which replica a connection belongs to, so that it can tell what others have stored (replica-session.ts)
	 */
	constructor(keys: KeyRing, origin?: string) {
		this.#keys = keys
		this.#origin = origin
	}

	/** As one bound statement, so that no key stands in its text. */
	statement(): { text: string, values: string[] } {
		const settings = [
			...this.#keys.storageKeys.map(({ kid, passphrase }) => [`sipcall.key_${kid}`, passphrase]),
			['sipcall.kid', this.#keys.activeKid],
			...(this.#origin === undefined ? [] : [['sipcall.origin', this.#origin]]),
		]
		return { text: `select ${settings.map((_, at) => `set_config($${2 * at + 1}, $${2 * at + 2}, false)`).join(', ')}`, values: settings.flat() }
	}

	/**
	 * From now on whoever takes one of the pool's connections has the present keys on it. A new connection gets them before
	 * its first use from elsewhere, where a fault of it is heard of.
	 */
	watch(pool: Pool): void {
		pool.on('connect', (client) => this.#versions.set(client, this.#keys.version))
		pool.on('acquire', (client) => {
			this.#taken.add(client)
			const { version } = this.#keys
			if (this.#versions.get(client) !== version) {
				this.#versions.set(client, version)
				// A connection does one statement after the other: what its new owner asks comes after this.
				client.query(this.statement()).catch(() => this.#versions.delete(client))
			}
		})
		pool.on('release', (_error, client) => this.#taken.delete(client))
		pool.on('remove', (client) => this.#taken.delete(client))
	}

	/**
	 * Resolves when nobody uses a connection any more that was taken before the last change of the keys.
	 *
	 * @throws {SipCallError} `storage_unavailable` when somebody keeps one for longer than is possible
	 */
	async settled(): Promise<void> {
		const { version } = this.#keys
		const isBehind = () => [...this.#taken].some((client) => (this.#versions.get(client) ?? 0) < version)
		for (const until = performance.now() + SPREAD_LIMIT_MS; isBehind(); await delay(LOOK_MS)) {
			if (performance.now() > until) {
				throw new SipCallError('storage_unavailable', 'Something has been using the database for more than a minute, and does not know the new key. Nothing was changed. Try again later.')
			}
		}
	}
}
