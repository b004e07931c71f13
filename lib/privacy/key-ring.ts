// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The keys that personal data is stored under. Each comes from a random master key; what is used is derived from it.

import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

export interface StorageKey {
	/** Names the key beside each value that it encrypted: 8 hexadecimal digits of the key's own hash. */
	kid: string
	/** Passphrase for pgcrypto: base64 of 32 derived bytes, so a cheap `s2k-mode` is enough. */
	passphrase: string
}

/** What is sealed with a key that must be found again when the master is long gone. */
export const SEALS = ['audit chain', 'erasure receipt', 'erasure journal'] as const

export type Seal = typeof SEALS[number]

/** A seal's key, encrypted under the active key. */
export interface WrappedSealKey {
	kid: string
	purpose: Seal
	wrapped: string
}

interface Key extends StorageKey {
	master: Buffer
	wrapping: Buffer
}

const INDEX = 'blind index'
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Derived from the master keys; the active one encrypts, all of them decrypt. Never logged, never serialised.
 *
 * Two kinds of derived keys outlive their master, and so are stored, encrypted under the active key: that of the blind
 * indexes, so that what was stored is found at every moment of a change; and those of the seals, since entries of the
 * audit log, receipts and the erasure journal are never written anew.
 */
export class KeyRing {
	#keys: readonly [Key, ...Key[]]
	#indexKey: Buffer
	readonly #sealKeys = new Map<string, Buffer>()
	#version = 1

	/**
	 * @param masterKeys 32 random bytes each, the active one first
	 */
	constructor(masterKeys: readonly [Buffer, ...Buffer[]]) {
		const [active, ...others] = masterKeys
		this.#keys = [keyOf(active), ...others.map(keyOf)]
		this.#indexKey = derive(active, INDEX)
		this.#keys.forEach((key) => this.#addSealKeys(key))
	}

	/** All keys, the active one first. */
	get storageKeys(): readonly StorageKey[] {
		return this.#keys.map(({ kid, passphrase }) => ({ kid, passphrase }))
	}

	get activeKid(): string {
		return this.#keys[0].kid
	}

	/** Grows with every change of the keys: who has taken them over knows whether it has them all. */
	get version(): number {
		return this.#version
	}

	/**
	 * From now on decrypts with one more key; nothing is encrypted with it yet.
	 *
	 * @return its id
	 */
	add(master: Buffer): string {
		const key = keyOf(master)
		if (!this.#keys.some(({ kid }) => kid === key.kid)) {
			const [active, ...others] = this.#keys
			this.#keys = [active, key, ...others]
			this.#addSealKeys(key)
			this.#version++
		}
		return key.kid
	}

	/** From now on encrypts with this one. */
	activate(kid: string): void {
		const key = this.#find(kid)
		this.#keys = [key, ...this.#keys.filter((other) => other !== key)]
		this.#version++
	}

	/**
	 * A blind index of a value, to find rows by equality without storing the value: HMAC-SHA256, 32 hex digits.
	 *
	 * @param purpose keeps equal values of different columns apart
	 * @param value normalised, such as an E.164 number
	 */
	blindIndex(purpose: 'number' | 'tag' | 'phone' | 'code' | 'user' | 'key' | 'body', value: string): string {
		return createHmac('sha256', this.#indexKey).update(`${purpose}\0${value}`).digest('hex').slice(0, 32)
	}

	/** Names the stored data as a whole, whatever key they are under: 8 hexadecimal digits. */
	get dataId(): string {
		return createHmac('sha256', this.#indexKey).update('data id').digest('hex').slice(0, 8)
	}

	/** Of the key that seals new entries of the audit log, and new receipts. */
	get auditKid(): string {
		return this.activeKid
	}

	/**
	 * HMAC-SHA256 for the audit log's chain, 64 hex digits.
	 *
	 * @param kid of any of the keys: entries outlive a change of the key
	 * @return undefined when that key is not loaded
	 */
	auditMac(kid: string, text: string): string | undefined {
		return mac(this.#sealKeys.get(sealName('audit chain', kid)), text)
	}

	/** The same for receipts of erasures, with a key of their own. */
	receiptMac(kid: string, text: string): string | undefined {
		return mac(this.#sealKeys.get(sealName('erasure receipt', kid)), text)
	}

	/** The same for the erasure journal. */
	journalMac(kid: string, text: string): string | undefined {
		return mac(this.#sealKeys.get(sealName('erasure journal', kid)), text)
	}

	/** Whose derived key makes the blind indexes, where none is stored yet. */
	indexBy(kid: string): void {
		this.#indexKey = derive(this.#find(kid).master, INDEX)
	}

	/** The key of the blind indexes, encrypted under the active key. */
	wrapIndexKey(): string {
		return this.#wrap(INDEX, this.#indexKey)
	}

	/**
	 * Takes over what wrapIndexKey() gave.
	 *
	 * @throws {Error} when it is not under a loaded key, or damaged
	 */
	takeIndexKey(wrapped: string): void {
		this.#indexKey = this.#unwrap(INDEX, wrapped)
	}

	/** The keys of all seals, those of masters that are gone too. */
	wrapSealKeys(): WrappedSealKey[] {
		return [...this.#sealKeys].map(([name, key]) => {
			const [purpose, kid] = name.split('\0') as [Seal, string]
			return { kid, purpose, wrapped: this.#wrap(name, key) }
		})
	}

	/**
	 * Takes over one of what wrapSealKeys() gave.
	 *
	 * @throws {Error} when it is not under a loaded key, or damaged
	 */
	takeSealKey({ kid, purpose, wrapped }: WrappedSealKey): void {
		const name = sealName(purpose, kid)
		this.#sealKeys.set(name, this.#unwrap(name, wrapped))
	}

	toJSON(): string {
		return '[redacted]'
	}

	#addSealKeys({ kid, master }: Key): void {
		SEALS.forEach((purpose) => this.#sealKeys.set(sealName(purpose, kid), derive(master, purpose)))
	}

	#find(kid: string): Key {
		const key = this.#keys.find((other) => other.kid === kid)
		if (key === undefined) {
			throw new RangeError(`The key ${kid} is not loaded`)
		}
		return key
	}

	/** By AES-256-GCM here and not by pgcrypto: a database must not see the keys that its own entries are sealed with. */
	#wrap(name: string, secret: Buffer): string {
		const [{ kid, wrapping }] = this.#keys
		const iv = randomBytes(IV_BYTES)
		const cipher = createCipheriv('aes-256-gcm', wrapping, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name))
		const hidden = Buffer.concat([cipher.update(secret), cipher.final()])
		return `${kid}:${Buffer.concat([iv, cipher.getAuthTag(), hidden]).toString('base64')}`
	}

	#unwrap(name: string, wrapped: string): Buffer {
		const [kid = '', text = ''] = wrapped.split(':')
		const bytes = Buffer.from(text, 'base64')
		const cipher = createDecipheriv('aes-256-gcm', this.#find(kid).wrapping, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
		cipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
		return Buffer.concat([cipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), cipher.final()])
	}
}

function keyOf(master: Buffer): Key {
	return {
		kid: createHash('sha256').update('sipcall key id').update(master).digest('hex').slice(0, 8),
		passphrase: derive(master, 'storage').toString('base64'),
		wrapping: derive(master, 'wrapping'),
		master,
	}
}

function sealName(purpose: Seal, kid: string): string {
	return `${purpose}\0${kid}`
}

function mac(key: Buffer | undefined, text: string): string | undefined {
	return key === undefined ? undefined : createHmac('sha256', key).update(text).digest('hex')
}

function derive(master: Buffer, purpose: string): Buffer {
	return Buffer.from(hkdfSync('sha256', master, 'sipcall', purpose, 32))
}
