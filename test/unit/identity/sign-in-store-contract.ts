// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What every store of sign-ins does, the one in memory for unit tests as the one in PostgreSQL.

import type { SignInStore } from '../../../lib/identity/ports.ts'

import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'

const NOW = new Date('2026-11-22T09:30:00.000Z')
const LATER = new Date(NOW.getTime() + 1000)
const MUCH_LATER = new Date(NOW.getTime() + 60_000)

export function hash(): string {
	return randomBytes(32).toString('base64url')
}

/** A new sign-in and its first token; both end at MUCH_LATER. */
export async function begin(store: SignInStore, userId = 'alice'): Promise<{ id: string, token: string }> {
	const [id, token] = [randomUUID(), hash()]
	await store.begin({ id, userId, tokenHash: token, at: NOW, expiresAt: MUCH_LATER })
	return { id, token }
}

/** Shows a token; the next one is given back with what came of it. */
export async function rotate(store: SignInStore, token: string, { at = NOW, expiresAt = MUCH_LATER } = {}): Promise<{ next: string, outcome: string }> {
	const next = hash()
	return { next, outcome: await store.rotate({ tokenHash: token, nextHash: next, at, expiresAt }) }
}

export function describeSignInStore(name: string, storeOf: () => SignInStore): void {
	describe(`a store of sign-ins in ${name}`, () => {
		it('gives a state back once, with its redirectUri or without', async () => {
			const store = storeOf()
			const [a, b] = [hash(), hash()]
			await store.addState({ hash: a, redirectUri: 'sipcall://back?a=1&b=\'"', expiresAt: LATER })
			await store.addState({ hash: b, redirectUri: undefined, expiresAt: LATER })
			expect(await store.takeState(a, NOW)).toEqual({ redirectUri: 'sipcall://back?a=1&b=\'"' })
			expect(await store.takeState(b, NOW)).toEqual({ redirectUri: undefined })
			expect(await store.takeState(a, NOW)).toBeUndefined()
			expect(await store.takeState(hash(), NOW)).toBeUndefined()
		})

		it('gives a state to one of ten who ask at once', async () => {
			const store = storeOf()
			const state = hash()
			await store.addState({ hash: state, redirectUri: undefined, expiresAt: LATER })
			const taken = await Promise.all(Array.from({ length: 10 }, () => store.takeState(state, NOW)))
			expect(taken.filter((result) => result !== undefined)).toHaveLength(1)
		})

		it('gives no state from the millisecond on in which it expires, and none afterwards', async () => {
			const store = storeOf()
			const [a, b] = [hash(), hash()]
			await store.addState({ hash: a, redirectUri: undefined, expiresAt: LATER })
			await store.addState({ hash: b, redirectUri: undefined, expiresAt: LATER })
			expect(await store.takeState(a, LATER)).toBeUndefined()
			expect(await store.takeState(a, NOW)).toBeUndefined()
			expect(await store.takeState(b, new Date(LATER.getTime() - 1))).toBeDefined()
		})

		it('finds a token with its sign-in and user', async () => {
			const store = storeOf()
			const { id, token } = await begin(store, 'o\'brien ?:1')
			expect(await store.findToken(token, NOW)).toEqual({ signInId: id, userId: 'o\'brien ?:1', isUsed: false })
			expect(await store.findToken(hash(), NOW)).toBeUndefined()
			expect(await store.findToken(token, MUCH_LATER)).toBeUndefined()
			expect(await store.isAlive(id, NOW)).toBe(true)
			expect(await store.isAlive(id, MUCH_LATER)).toBe(false)
			expect(await store.isAlive(randomUUID(), NOW)).toBe(false)
		})

		it('puts the next token in the place of one that is shown, and the sign-in lives as long as that', async () => {
			const store = storeOf()
			const { id, token } = await begin(store)
			const expiresAt = new Date(MUCH_LATER.getTime() + 1000)
			const { next, outcome } = await rotate(store, token, { expiresAt })
			expect(outcome).toBe('rotated')
			expect(await store.findToken(token, NOW)).toMatchObject({ signInId: id, isUsed: true })
			expect(await store.findToken(next, MUCH_LATER)).toMatchObject({ signInId: id, isUsed: false })
			expect(await store.isAlive(id, MUCH_LATER)).toBe(true)
			expect(await store.isAlive(id, expiresAt)).toBe(false)
		})

		it('ends the whole sign-in when a used token is shown, the newest token included, and no other sign-in', async () => {
			const store = storeOf()
			const other = await begin(store)
			const { id, token } = await begin(store)
			const second = await rotate(store, token)
			const third = await rotate(store, second.next)
			expect((await rotate(store, token)).outcome).toBe('reused')
			for (const ended of [token, second.next, third.next]) {
				expect(await store.findToken(ended, NOW)).toBeUndefined()
				expect((await rotate(store, ended)).outcome).toBe('unknown')
			}
			expect(await store.isAlive(id, NOW)).toBe(false)
			expect(await store.isAlive(other.id, NOW)).toBe(true)
			expect((await rotate(store, other.token)).outcome).toBe('rotated')
		})

		it('lets one of two who show the same token at once win, and then ends the sign-in for both', async () => {
			const store = storeOf()
			const { id, token } = await begin(store)
			const outcomes = await Promise.all([rotate(store, token), rotate(store, token)])
			expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['reused', 'rotated'])
			for (const { next } of outcomes) {
				expect(await store.findToken(next, NOW)).toBeUndefined()
			}
			expect(await store.isAlive(id, NOW)).toBe(false)
		})

		it('does not take a token that is unknown or expired, and changes nothing then', async () => {
			const store = storeOf()
			const { id, token } = await begin(store)
			expect((await rotate(store, hash())).outcome).toBe('unknown')
			const expired = await rotate(store, token, { at: MUCH_LATER })
			expect(expired.outcome).toBe('unknown')
			expect(await store.findToken(expired.next, NOW)).toBeUndefined()
			expect(await store.findToken(token, NOW)).toMatchObject({ isUsed: false })
			expect(await store.isAlive(id, NOW)).toBe(true)
		})

		it('ends a sign-in by any of its tokens, and by one that nobody knows none', async () => {
			const store = storeOf()
			const [a, b] = [await begin(store), await begin(store)]
			await rotate(store, a.token)
			expect(await store.endByToken(hash())).toBeUndefined()
			expect(await store.endByToken(a.token)).toMatchObject({ signInId: a.id })
			expect(await store.isAlive(a.id, NOW)).toBe(false)
			expect(await store.isAlive(b.id, NOW)).toBe(true)
			expect(await store.endByToken(a.token)).toBeUndefined()
		})

		it('ends all sign-ins of one user', async () => {
			const store = storeOf()
			const carol = [await begin(store, 'carol'), await begin(store, 'carol')]
			const dave = await begin(store, 'dave')
			await store.endAllOf('carol')
			expect(await Promise.all(carol.map(({ id }) => store.isAlive(id, NOW)))).toEqual([false, false])
			expect(await store.isAlive(dave.id, NOW)).toBe(true)
		})

		it('forgets what is expired and nothing else', async () => {
			const store = storeOf()
			const [old, kept] = [hash(), hash()]
			await store.addState({ hash: old, redirectUri: undefined, expiresAt: LATER })
			await store.addState({ hash: kept, redirectUri: undefined, expiresAt: MUCH_LATER })
			const [ended, going] = [await begin(store), await begin(store)]
			await rotate(store, ended.token, { expiresAt: LATER })
			const { next } = await rotate(store, going.token, { expiresAt: MUCH_LATER })
			await store.forgetExpired(LATER)
			// What is gone is gone also for somebody whose clock is behind.
			expect(await store.takeState(old, NOW)).toBeUndefined()
			expect(await store.takeState(kept, NOW)).toBeDefined()
			expect(await store.isAlive(ended.id, NOW)).toBe(false)
			expect(await store.findToken(ended.token, NOW)).toBeUndefined()
			expect(await store.findToken(next, NOW)).toBeDefined()
			expect(await store.findToken(going.token, NOW)).toMatchObject({ isUsed: true })
		})
	})
}
