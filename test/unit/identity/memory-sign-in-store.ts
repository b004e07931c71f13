// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NewSignIn, Rotation, SignInStore, StoredState } from '../../../lib/identity/ports.ts'

interface Token {
	signInId: string
	expiresAt: Date
	isUsed: boolean
}

/** What SignInRepository keeps in PostgreSQL; one contract holds both. */
export class MemorySignInStore implements SignInStore {
	readonly states = new Map<string, StoredState>()
	readonly signIns = new Map<string, { userId: string, expiresAt: Date }>()
	readonly tokens = new Map<string, Token>()

	async addState(state: StoredState): Promise<void> {
		this.states.set(state.hash, state)
	}

	async takeState(hash: string, at: Date): Promise<{ redirectUri: string | undefined } | undefined> {
		const state = this.states.get(hash)
		this.states.delete(hash)
		return state !== undefined && state.expiresAt > at ? { redirectUri: state.redirectUri } : undefined
	}

	async begin({ id, userId, tokenHash, expiresAt }: NewSignIn): Promise<void> {
		this.signIns.set(id, { userId, expiresAt })
		this.tokens.set(tokenHash, { signInId: id, expiresAt, isUsed: false })
	}

	async findToken(tokenHash: string, at: Date): Promise<{ signInId: string, userId: string, isUsed: boolean } | undefined> {
		const token = this.tokens.get(tokenHash)
		const signIn = this.signIns.get(token?.signInId ?? '')
		return token === undefined || signIn === undefined || token.expiresAt <= at ? undefined : { signInId: token.signInId, userId: signIn.userId, isUsed: token.isUsed }
	}

	async rotate({ tokenHash, nextHash, at, expiresAt }: Rotation): Promise<'rotated' | 'reused' | 'unknown'> {
		const token = this.tokens.get(tokenHash)
		const signIn = this.signIns.get(token?.signInId ?? '')
		if (token === undefined || signIn === undefined || token.expiresAt <= at) {
			return 'unknown'
		}
		if (token.isUsed) {
			this.#end(token.signInId)
			return 'reused'
		}
		token.isUsed = true
		signIn.expiresAt = expiresAt
		this.tokens.set(nextHash, { signInId: token.signInId, expiresAt, isUsed: false })
		return 'rotated'
	}

	async endByToken(tokenHash: string): Promise<{ signInId: string, userId: string } | undefined> {
		const signInId = this.tokens.get(tokenHash)?.signInId ?? ''
		const userId = this.signIns.get(signInId)?.userId
		this.#end(signInId)
		return userId === undefined ? undefined : { signInId, userId }
	}

	async endAllOf(userId: string): Promise<void> {
		for (const [id, signIn] of [...this.signIns]) {
			if (signIn.userId === userId) {
				this.#end(id)
			}
		}
	}

	async isAlive(signInId: string, at: Date): Promise<boolean> {
		const signIn = this.signIns.get(signInId)
		return signIn !== undefined && signIn.expiresAt > at
	}

	async forgetExpired(at: Date): Promise<void> {
		for (const map of [this.states, this.tokens] as Map<string, { expiresAt: Date }>[]) {
			for (const [key, { expiresAt }] of [...map]) {
				if (expiresAt <= at) {
					map.delete(key)
				}
			}
		}
		for (const [id, { expiresAt }] of [...this.signIns]) {
			if (expiresAt <= at) {
				this.#end(id)
			}
		}
	}

	#end(signInId: string): void {
		this.signIns.delete(signInId)
		for (const [hash, token] of [...this.tokens]) {
			if (token.signInId === signInId) {
				this.tokens.delete(hash)
			}
		}
	}
}
