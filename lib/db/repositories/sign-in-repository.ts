// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'

import { OAuthStateEntity, RefreshTokenEntity, SignInEntity } from '../entities/sign-in.entity.ts'

export interface StoredState {
	hash: string
	redirectUri: string | undefined
	expiresAt: Date
}

export interface NewSignIn {
	id: string
	userId: string
	/** Of its first refresh token. */
	tokenHash: string
	at: Date
	expiresAt: Date
}

export interface Rotation {
	/** Of the token that was shown. */
	tokenHash: string
	/** Of the one that takes its place. */
	nextHash: string
	at: Date
	/** Of the next one, and of the sign-in with it. */
	expiresAt: Date
}

/** States, sign-ins and refresh tokens: `SignInStore` of lib/identity/ports.ts, by shape. What is expired counts as not there. */
export class SignInRepository {
	readonly #orm: MikroORM

	constructor({ orm }: { orm: MikroORM }) {
		this.#orm = orm
	}

	async addState({ hash, redirectUri, expiresAt }: StoredState): Promise<void> {
		await this.#orm.em.fork().insert(OAuthStateEntity, { hash, redirectUri: redirectUri ?? null, expiresAt })
	}

	/** Takes a state away: of several who ask for it, one gets it. */
	async takeState(hash: string, at: Date): Promise<{ redirectUri: string | undefined } | undefined> {
		const [taken] = await this.#orm.em.getConnection().execute<{ redirect_uri: string | null, is_good: boolean }[]>(
			'delete from oauth_states where hash = ? returning redirect_uri, expires_at > ? as is_good',
			[hash, at],
		)
		return taken?.is_good === true ? { redirectUri: taken.redirect_uri ?? undefined } : undefined
	}

	async begin({ id, userId, tokenHash, at, expiresAt }: NewSignIn): Promise<void> {
		await this.#orm.em.fork().transactional(async (em) => {
			await em.insert(SignInEntity, { id, userId, createdAt: at, expiresAt })
			await em.insert(RefreshTokenEntity, { hash: tokenHash, signInId: id, expiresAt })
		})
	}

	async findToken(tokenHash: string, at: Date): Promise<{ signInId: string, userId: string, isUsed: boolean } | undefined> {
		const [found] = await this.#orm.em.getConnection().execute<{ id: string, user_id: string, is_used: boolean }[]>(
			`select s.id, s.user_id, t.used_at is not null as is_used from refresh_tokens t join sign_ins s on s.id = t.sign_in_id
				where t.hash = ? and t.expires_at > ?`,
			[tokenHash, at],
		)
		return found === undefined ? undefined : { signInId: found.id, userId: found.user_id, isUsed: found.is_used }
	}

	/**
	 * Marks a token as used and adds the next, both or neither. One that was used before ends the whole sign-in.
	 *
	 * Whoever changes a sign-in holds its row. Without that, a sign-in could be ended while its next token is being
	 * added, and the token would outlive it.
	 */
	async rotate({ tokenHash, nextHash, at, expiresAt }: Rotation): Promise<'rotated' | 'reused' | 'unknown'> {
		return this.#orm.em.fork().transactional(async (em) => {
			const signInId = await lockSignIn(em, tokenHash)
			// Read after the lock, as whoever held it before has left it.
			const token = signInId === undefined ? null : await em.findOne(RefreshTokenEntity, { hash: tokenHash, expiresAt: { $gt: at } })
			if (signInId === undefined || token === null) {
				return 'unknown'
			}
			if (token.usedAt) {
				await em.nativeDelete(SignInEntity, { id: signInId })
				return 'reused'
			}
			await em.nativeUpdate(RefreshTokenEntity, { hash: tokenHash }, { usedAt: at })
			await em.insert(RefreshTokenEntity, { hash: nextHash, signInId, expiresAt })
			await em.nativeUpdate(SignInEntity, { id: signInId }, { expiresAt })
			await em.nativeDelete(RefreshTokenEntity, { signInId, expiresAt: { $lte: at } })
			return 'rotated'
		})
	}

	/** Ends the sign-in of any of its tokens, used ones included. */
	async endByToken(tokenHash: string): Promise<{ signInId: string, userId: string } | undefined> {
		const [ended] = await this.#orm.em.getConnection().execute<{ id: string, user_id: string }[]>('delete from sign_ins where id = (select sign_in_id from refresh_tokens where hash = ?) returning id, user_id', [tokenHash])
		return ended === undefined ? undefined : { signInId: ended.id, userId: ended.user_id }
	}

	/** When a user's clients signed in, and until when they may come back. */
	async ofUser(userId: string): Promise<{ createdAt: Date, expiresAt: Date }[]> {
		const rows = await this.#orm.em.fork().find(SignInEntity, { userId }, { orderBy: { createdAt: 'asc' } })
		return rows.map(({ createdAt, expiresAt }) => ({ createdAt, expiresAt }))
	}

	async endAllOf(userId: string): Promise<void> {
		await this.#orm.em.fork().nativeDelete(SignInEntity, { userId })
	}

	async isAlive(signInId: string, at: Date): Promise<boolean> {
		return await this.#orm.em.fork().count(SignInEntity, { id: signInId, expiresAt: { $gt: at } }) > 0
	}

	async forgetExpired(at: Date): Promise<void> {
		const em = this.#orm.em.fork()
		await em.nativeDelete(OAuthStateEntity, { expiresAt: { $lte: at } })
		await em.nativeDelete(SignInEntity, { expiresAt: { $lte: at } })
		await em.nativeDelete(RefreshTokenEntity, { expiresAt: { $lte: at } })
	}
}

async function lockSignIn(em: EntityManager, tokenHash: string): Promise<string | undefined> {
	const [locked] = await em.execute<{ id: string }[]>('select id from sign_ins where id = (select sign_in_id from refresh_tokens where hash = ?) for update', [tokenHash])
	return locked?.id
}
