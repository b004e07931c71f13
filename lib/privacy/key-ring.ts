// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The keys that personal data is stored under. One random master key; what is used is derived from it.

import { createHash, createHmac, hkdfSync } from 'node:crypto'

export interface StorageKey {
	/** Names the key beside each value that it encrypted: 8 hexadecimal digits of the key's own hash. */
	kid: string
	/** Passphrase for pgcrypto: base64 of 32 derived bytes, so a cheap `s2k-mode` is enough. */
	passphrase: string
}

/** Derived from the master keys; the first one encrypts, all of them decrypt. Never logged, never serialised. */
export class KeyRing {
	readonly #keys: readonly StorageKey[]
	readonly #indexKey: Buffer
	readonly #auditKeys: ReadonlyMap<string, Buffer>
	readonly #receiptKeys: ReadonlyMap<string, Buffer>

	/**
	 * @param masterKeys 32 random bytes each, the active one first
	 */
	constructor(masterKeys: readonly [Buffer, ...Buffer[]]) {
		this.#keys = masterKeys.map((master) => ({
			kid: createHash('sha256').update('sipcall key id').update(master).digest('hex').slice(0, 8),
			passphrase: derive(master, 'storage').toString('base64'),
		}))
		this.#indexKey = derive(masterKeys[0], 'blind index')
		const sealKeys = (purpose: string) => new Map(masterKeys.map((master, index) => [this.#keys[index]?.kid ?? '', derive(master, purpose)]))
		this.#auditKeys = sealKeys('audit chain')
		this.#receiptKeys = sealKeys('erasure receipt')
	}

	/** All keys, the active one first. */
	get storageKeys(): readonly StorageKey[] {
		return this.#keys
	}

	/**
	 * A blind index of a value, to find rows by equality without storing the value: HMAC-SHA256, 32 hex digits.
	 *
	 * @param purpose keeps equal values of different columns apart
	 * @param value normalised, such as an E.164 number
	 */
	blindIndex(purpose: 'number' | 'tag' | 'phone' | 'code' | 'user' | 'key', value: string): string {
		return createHmac('sha256', this.#indexKey).update(`${purpose}\0${value}`).digest('hex').slice(0, 32)
	}

	/** Of the key that seals new entries of the audit log, and new receipts. */
	get auditKid(): string {
		return this.#keys[0]?.kid ?? ''
	}

	/**
	 * HMAC-SHA256 for the audit log's chain, 64 hex digits.
	 *
	 * @param kid of any of the keys: entries outlive a change of the key
	 * @return undefined when that key is not loaded
	 */
	auditMac(kid: string, text: string): string | undefined {
		return mac(this.#auditKeys.get(kid), text)
	}

	/** The same for receipts of erasures, with a key of their own. */
	receiptMac(kid: string, text: string): string | undefined {
		return mac(this.#receiptKeys.get(kid), text)
	}

	toJSON(): string {
		return '[redacted]'
	}
}

function mac(key: Buffer | undefined, text: string): string | undefined {
	return key === undefined ? undefined : createHmac('sha256', key).update(text).digest('hex')
}

function derive(master: Buffer, purpose: string): Buffer {
	return Buffer.from(hkdfSync('sha256', master, 'sipcall', purpose, 32))
}
