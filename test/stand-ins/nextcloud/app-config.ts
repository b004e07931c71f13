// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The ExApp's config, and its users' preferences. What comes back is always text; a sensitive value lies there encrypted
 * and comes back decrypted. Both outlive an unregistering.
 */

import type { OcsResult } from './ocs-answer.ts'
import type { OcsCall, OcsRoute } from './ocs.ts'

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { failure, internalError, ok } from './ocs-answer.ts'

/** A row as it lies in the database. */
export interface ConfigRow {
	id: number
	configkey: string
	configvalue: string
	sensitive: number
}

const KEY = randomBytes(32)

export class ConfigRows {
	readonly #rows = new Map<string, ConfigRow>()
	#lastId = 0

	/** As stored, a sensitive value still encrypted; by key. */
	list(): ConfigRow[] {
		return [...this.#rows.values()].sort((a, b) => (a.configkey < b.configkey ? -1 : 1)).map((row) => ({ ...row }))
	}

	/** As the ExApp gets it; undefined when it is not there. */
	read(key: string): string | undefined {
		const row = this.#rows.get(key)
		if (row === undefined) {
			return undefined
		}
		return row.sensitive === 0 || row.configvalue === '' ? row.configvalue : decrypt(row.configvalue)
	}

	/**
	 * @param key of the value
	 * @param value as text
	 * @param sensitive left out, a new row is not sensitive, and an old one keeps its mark but takes the value as it is
	 */
	write(key: string, value: string, sensitive?: number): ConfigRow {
		const old = this.#rows.get(key)
		const row = {
			id: old?.id ?? ++this.#lastId,
			configkey: key,
			configvalue: sensitive && value !== '' ? encrypt(value) : value,
			sensitive: sensitive ?? old?.sensitive ?? 0,
		}
		this.#rows.set(key, row)
		return { ...row, configvalue: value }
	}

	delete(keys: readonly string[]): number {
		return keys.filter((key) => this.#rows.delete(key)).length
	}
}

export class AppConfig {
	readonly #appId: string
	readonly config = new ConfigRows()
	readonly #preferences = new Map<string, ConfigRows>()

	constructor(appId: string) {
		this.#appId = appId
	}

	preferences(userId: string): ConfigRows {
		const rows = this.#preferences.get(userId) ?? new ConfigRows()
		this.#preferences.set(userId, rows)
		return rows
	}

	routes(): OcsRoute[] {
		const ofApp = () => ({ rows: this.config, owner: { appid: this.#appId }, table: 'appconfig_ex' })
		const ofUser = ({ user }: OcsCall) => user === undefined
			? undefined
			: { rows: this.preferences(user.id), owner: { user_id: user.id, appid: this.#appId }, table: 'preferences_ex' }
		return [...storeRoutes('config', ofApp), ...storeRoutes('preference', ofUser)]
	}
}

interface Store {
	rows: ConfigRows
	owner: Record<string, string>
	/** As the message of a delete names it. */
	table: string
}

function storeRoutes(name: string, storeOf: (call: OcsCall) => Store | undefined): OcsRoute[] {
	const path = `/apps/app_api/api/v1/ex-app/${name}`
	const within = (handle: (call: OcsCall, store: Store) => OcsResult) => (call: OcsCall) => {
		const store = storeOf(call)
		return store === undefined ? internalError : handle(call, store)
	}
	return [
		{
			method: 'POST',
			path,
			asks: 'exApp',
			handle: within(({ body: { configKey, configValue, sensitive } }, { rows, owner }) => {
				if (typeof configKey !== 'string') {
					return internalError
				}
				if (configKey === '') {
					return failure(400, 'Config key cannot be empty')
				}
				if (sensitive && typeof configValue === 'object' && configValue !== null) {
					return internalError
				}
				const { id, ...row } = rows.write(configKey, phpText(configValue), sensitive === undefined || sensitive === null ? undefined : Number(sensitive))
				return ok({ id, ...owner, ...row })
			}),
		},
		{
			method: 'POST',
			path: `${path}/get-values`,
			asks: 'exApp',
			handle: within(({ body: { configKeys } }, { rows }) => {
				if (!Array.isArray(configKeys)) {
					return internalError
				}
				return ok(rows.list().filter(({ configkey }) => configKeys.includes(configkey))
					.map(({ configkey }) => ({ configkey, configvalue: rows.read(configkey) ?? '' })))
			}),
		},
		{
			method: 'DELETE',
			path,
			asks: 'exApp',
			handle: within(({ body: { configKeys } }, { rows, table }) => {
				if (!Array.isArray(configKeys)) {
					return internalError
				}
				const deleted = rows.delete(configKeys.map(String))
				return deleted === 0 ? failure(404, `No ${table} values deleted`) : ok(deleted)
			}),
		},
	]
}

/** What PHP makes of a value that it wants as text. */
export function phpText(value: unknown): string {
	if (typeof value === 'object' && value !== null) {
		return 'Array'
	}
	return value === true ? '1' : value === false || value === null || value === undefined ? '' : String(value)
}

/** In the form of Nextcloud's own: content, vector, check sum, version. */
export function encrypt(text: string): string {
	const vector = randomBytes(16)
	const cipher = createCipheriv('aes-256-cbc', KEY, vector)
	const content = `${cipher.update(text, 'utf8', 'hex')}${cipher.final('hex')}|${vector.toString('hex')}`
	return `${content}|${createHmac('sha512', KEY).update(content).digest('hex')}|3`
}

/** Empty for what is no ciphertext, as after a write that left the mark out. */
export function decrypt(text: string): string {
	const [content = '', vector = ''] = text.split('|')
	try {
		const decipher = createDecipheriv('aes-256-cbc', KEY, Buffer.from(vector, 'hex'))
		return decipher.update(content, 'hex', 'utf8') + decipher.final('utf8')
	} catch {
		return ''
	}
}
