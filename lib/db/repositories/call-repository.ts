// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { CallLogEntry } from '../../calls/call-events.ts'
import type { Transition } from '../../calls/call-state.ts'
import type { Call, Leg } from '../../calls/call.ts'
import type { AdmittedTransfer, CallingState, CallStore, Clock, FactsRequest, HandedOverLeg, HistoryQuery, PlaceRequest } from '../../calls/ports.ts'
import type { KeyRing } from '../../privacy/key-ring.ts'
import type { CallRow, StoredLeg } from '../entities/call.entity.ts'

import { sameTag } from '../../calls/annotation.ts'
import { isHandedOver, talkingLeg } from '../../calls/call.ts'
import { nextLookAt } from '../../calls/carrier-cost.ts'
import { SipCallError } from '../../errors.ts'
import { currencyOf } from '../../policy/rates.ts'
import { runBound } from '../bound-query.ts'
import { encrypted, UNREADABLE } from '../encrypted-text.ts'
import { CallEntity, CallLogEntity, IdempotencyEntity } from '../entities/call.entity.ts'
import { insertRow } from '../insert-row.ts'
import { readCallingState } from './call-facts.ts'
import { forgetRetiredKeys, isKeyRetired } from './erased-keys.ts'

/** Any fixed number: whoever places a call holds this lock, so that what is counted stays true until the commit. */
const PLACE_LOCK = 0x51bca11

/** A cursor comes back from a client: only what this server itself writes is read. */
const CURSOR_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A phone that rings later than this after the click rings for nobody. */
const LONGEST_TURN_MS = 10_000

/** How many changed calls are read at once. */
const CHANGES_PAGE = 100

const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000

export interface CallRepositoryOptions {
	orm: MikroORM
	keys: KeyRing
	clock: Clock
	/** Told whose calls were changed, as soon as that is committed. */
	onChange?: (userId: string) => void
	/** Told of a call that was read without a text that cannot be decrypted. */
	onUnreadable?: (callUuid: string) => void
}

export class CallRepository implements CallStore {
	readonly #orm: MikroORM
	readonly #keys: KeyRing
	readonly #clock: Clock
	readonly #onChange: (userId: string) => void
	readonly #callOf: (row: CallRow) => Call
	#placing: Promise<void> = Promise.resolve()

	constructor({ orm, keys, clock, onChange = () => {}, onUnreadable = () => {} }: CallRepositoryOptions) {
		this.#orm = orm
		this.#keys = keys
		this.#clock = clock
		this.#onChange = onChange
		this.#callOf = (row) => {
			const call = callOf(row)
			if (call.isUnreadable === true) {
				onUnreadable(call.uuid)
			}
			return call
		}
	}

	async place(request: PlaceRequest, admit: (state: CallingState) => Promise<Call>): Promise<{ call: Call, isNew: boolean }> {
		const placed = await this.#inTurn(async (em, checkTurn) => {
			const earlier = await findByKey(em, request, this.#keys)
			if (earlier !== undefined) {
				return { call: earlier, isNew: false }
			}
			checkTurn()
			const call = await admit(await readCallingState(em, request.question, this.#indexes(request.question)))
			// Inserted one by one and in this order: the other rows refer to the call's.
			await insertRow(em, CallEntity, this.#rowOf(call))
			await em.insert(CallLogEntity, { callUuid: call.uuid, at: call.createdAt, type: 'queued' })
			if (request.idempotencyKey !== undefined) {
				await em.upsert(IdempotencyEntity, {
					userId: request.userId,
					key: request.idempotencyKey,
					bodyHash: bodyIndex(request, this.#keys),
					callUuid: call.uuid,
					createdAt: request.at,
				})
			}
			return { call, isNew: true }
		})
		this.#onChange(request.userId)
		return placed
	}

	admitTransfer(uuid: string, question: FactsRequest, admit: (call: Call, state: CallingState) => Promise<AdmittedTransfer>): Promise<{ call: Call, changed: boolean } | undefined> {
		return this.#told(this.#inTurn(async (em, checkTurn) => {
			checkTurn()
			const row = await this.#locked(em, uuid)
			if (row === null) {
				return undefined
			}
			const before = this.#callOf(row)
			const toIndex = this.#toIndex(question.number)
			const { transition, country, reservedMicros, currency } = await admit(before, await readCallingState(em, question, this.#indexes(question)))
			if ('ignored' in transition) {
				return { call: before, changed: false }
			}
			await em.execute(
				'insert into transfers (call_uuid, user_id, to_index, country, created_at, reserved_micros, currency) values (?, ?, ?, ?, ?, ?, ?)',
				[uuid, before.userId, toIndex, country ?? null, question.at, reservedMicros === undefined ? null : String(reservedMicros), currency ?? null],
			)
			await this.#write(em, row, before, transition)
			return { call: transition.call, changed: true }
		}))
	}

	async noteSpent(at: Date, micros: bigint): Promise<void> {
		await this.#orm.em.getConnection().execute('insert into spent_before (created_at, micros) values (?, ?)', [at, String(micros)])
	}

	/**
	 * Runs a step while nobody else decides on a call. The lock in the database makes all sidecars take turns. Within this
	 * one the turns are taken before a connection is: otherwise those who wait would hold every connection of the pool.
	 *
	 * @param step its second argument refuses whoever had to wait for too long
	 */
	#inTurn<Result>(step: (em: EntityManager, checkTurn: () => void) => Promise<Result>): Promise<Result> {
		const askedAt = performance.now()
		const checkTurn = () => {
			if (performance.now() - askedAt > LONGEST_TURN_MS) {
				throw new SipCallError('storage_unavailable', 'The database was too slow, so your phone was not rung. Try again in a few seconds.', { retryAfterSec: 5 })
			}
		}
		const done = this.#placing.then(() => this.#orm.em.fork().transactional(async (em) => {
			await em.execute(`select pg_advisory_xact_lock(${PLACE_LOCK})`)
			return step(em, checkTurn)
		}))
		this.#placing = done.then(() => {}, () => {})
		return done
	}

	facts(question: FactsRequest): Promise<CallingState> {
		return readCallingState(this.#orm.em.fork(), question, this.#indexes(question))
	}

	#indexes({ number, userId }: FactsRequest): { to: string, user: string } {
		return { to: this.#toIndex(number), user: this.#keys.blindIndex('user', userId) }
	}

	/** Nothing has the index of no number. */
	#toIndex(number: string | undefined): string {
		return number === undefined ? '' : this.#keys.blindIndex('number', number)
	}

	change(uuid: string, change: (call: Call) => Transition): Promise<{ call: Call, changed: boolean } | undefined> {
		return this.#told(this.#orm.em.fork().transactional(async (em) => {
			const row = await this.#locked(em, uuid)
			if (row === null) {
				return undefined
			}
			const before = this.#callOf(row)
			const outcome = change(before)
			if ('ignored' in outcome) {
				return { call: before, changed: false }
			}
			await this.#write(em, row, before, outcome)
			return { call: outcome.call, changed: true }
		}))
	}

	async #told<Result extends { call: Call, changed: boolean } | undefined>(change: Promise<Result>): Promise<Result> {
		const result = await change
		if (result?.changed === true) {
			this.#onChange(result.call.userId)
		}
		return result
	}

	/** The lock first: decrypting is done once, for the row as it is then. */
	async #locked(em: EntityManager, uuid: string): Promise<CallRow | null> {
		const [found] = await em.execute<{ uuid: string }[]>('select uuid from calls where uuid = ? for update', [uuid])
		return found === undefined ? null : await em.findOne(CallEntity, { uuid }) as CallRow | null
	}

	async #write(em: EntityManager, row: CallRow, before: Call, { call, log }: Extract<Transition, { call: Call }>): Promise<void> {
		await this.#writeAnnotation(em, row, call, before)
		em.assign(row, {
			...changesOf(call),
			carrierCostAt: nextLookAt(call) ?? null,
			changedAt: this.#clock.now(),
		})
		for (const entry of log) {
			em.create(CallLogEntity, { callUuid: call.uuid, at: entry.at, type: entry.type, leg: entry.leg, detail: entry.detail })
		}
		const talking = call.status === 'ended' && isHandedOver(call) ? talkingLeg(call) : undefined
		if (talking !== undefined) {
			await em.execute('insert into handed_over_legs (leg_uuid, user_index, node, created_at) values (?, ?, ?, ?) on conflict do nothing', [talking.uuid, this.#keys.blindIndex('user', call.userId), call.node ?? null, this.#clock.now()])
		}
		if (before.transfer === 'asked' && call.transfer === undefined) {
			// The switch has refused it: nothing will be spent, but it was tried.
			await em.execute('update transfers set reserved_micros = null where call_uuid = ?', [call.uuid])
		}
	}

	async find(uuid: string): Promise<Call | undefined> {
		const row = await this.#orm.em.fork().findOne(CallEntity, { uuid })
		return row === null ? undefined : this.#callOf(row)
	}

	async handedOver(): Promise<HandedOverLeg[]> {
		const rows = await this.#orm.em.getConnection().execute<{ leg_uuid: string, node: string | null }[]>('select leg_uuid, node from handed_over_legs')
		return rows.map(({ leg_uuid: legUuid, node }) => ({ legUuid, ...(node === null ? {} : { node }) }))
	}

	async endHandedOver(legUuid: string): Promise<void> {
		await this.#orm.em.getConnection().execute('delete from handed_over_legs where leg_uuid = ?', [legUuid])
	}

	async findCostsDue(now: Date, limit: number): Promise<Call[]> {
		const rows = await this.#orm.em.fork().find(CallEntity, { carrierCostAt: { $lte: now } }, { orderBy: { carrierCostAt: 'asc' }, limit })
		return rows.map(this.#callOf)
	}

	async findOpen(): Promise<Call[]> {
		const rows = await this.#orm.em.fork().find(CallEntity, { status: { $ne: 'ended' } }, { orderBy: { createdAt: 'asc' } })
		return rows.map(this.#callOf)
	}

	async findOpenOf(userId: string): Promise<Call[]> {
		const rows = await this.#orm.em.fork().find(CallEntity, { userId, status: { $ne: 'ended' } }, { orderBy: { createdAt: 'asc' } })
		return rows.map(this.#callOf)
	}

	async changedSince(userId: string, since: Date, after?: { changedAt: Date, uuid: string }): Promise<{ call: Call, changedAt: Date }[]> {
		const rows = await this.#orm.em.fork().find(CallEntity, {
			userId,
			changedAt: { $gte: since },
			...(after === undefined
				? {}
				: { $or: [{ changedAt: { $gt: after.changedAt } }, { changedAt: after.changedAt, uuid: { $gt: after.uuid } }] }),
		}, { orderBy: { changedAt: 'asc', uuid: 'asc' }, limit: CHANGES_PAGE })
		return rows.map((row) => ({ call: this.#callOf(row), changedAt: row.changedAt }))
	}

	/**
	 * Keyset paging: the cursor names the last call of a page, so a page costs the same however far back it lies and new
	 * calls move nothing.
	 */
	async history(userId: string, query: HistoryQuery): Promise<{ items: Call[], nextCursor: string | undefined }> {
		const after = query.cursor === undefined ? undefined : readCursor(query.cursor)
		const placed = query.idempotencyKey === undefined ? undefined : await this.#orm.em.fork().findOne(IdempotencyEntity, { userId, key: query.idempotencyKey })
		if (query.idempotencyKey !== undefined && !placed?.callUuid) {
			return { items: [], nextCursor: undefined }
		}
		const where = {
			userId,
			...(placed?.callUuid ? { uuid: placed.callUuid } : {}),
			...(query.statuses === undefined ? {} : { status: { $in: query.statuses } }),
			...(query.outcomes === undefined ? {} : { outcome: { $in: query.outcomes } }),
			...(query.direction === undefined ? {} : { direction: query.direction }),
			...(query.number === undefined ? {} : { toIndex: this.#keys.blindIndex('number', query.number) }),
			...(query.tag === undefined ? {} : { tagIndex: { $contains: [this.#tagIndex(userId, query.tag)] } }),
			...(query.from === undefined && query.to === undefined
				? {}
				: { createdAt: { ...(query.from === undefined ? {} : { $gte: query.from }), ...(query.to === undefined ? {} : { $lt: query.to }) } }),
			...(after === undefined
				? {}
				: { $or: [{ createdAt: { $lt: after.createdAt } }, { createdAt: after.createdAt, uuid: { $lt: after.uuid } }] }),
		}
		const order = { orderBy: { createdAt: 'desc' as const, uuid: 'desc' as const } }
		const limit = query.limit + 1
		// The index of tags is not in the order of time: what it finds is sorted before anything is decrypted.
		const rows = query.tag === undefined
			? await this.#orm.em.fork().find(CallEntity, where, { ...order, limit })
			: await this.#orm.em.fork().find(CallEntity, {
					uuid: { $in: (await this.#orm.em.fork().find(CallEntity, where, { ...order, limit, fields: ['uuid'] })).map(({ uuid }) => uuid) },
				}, order)
		const items = rows.slice(0, query.limit).map(this.#callOf)
		const last = items.at(-1)
		return { items, nextCursor: rows.length > query.limit && last !== undefined ? writeCursor(last) : undefined }
	}

	async log(uuid: string): Promise<CallLogEntry[]> {
		return (await this.logs([uuid])).get(uuid) ?? []
	}

	async logs(uuids: readonly string[]): Promise<Map<string, CallLogEntry[]>> {
		const rows = await this.#orm.em.fork().find(CallLogEntity, { callUuid: { $in: [...uuids] } }, { orderBy: { at: 'asc', id: 'asc' } })
		const logs = new Map<string, CallLogEntry[]>()
		for (const { callUuid, at, type, leg, detail } of rows) {
			const entry = { at, type: type as CallLogEntry['type'], ...(leg ? { leg } : {}), ...(detail ? { detail } : {}) }
			const log = logs.get(callUuid)
			if (log === undefined) {
				logs.set(callUuid, [entry])
			} else {
				log.push(entry)
			}
		}
		return logs
	}

	#rowOf(call: Call): Partial<CallRow> {
		const { device, legs, tags, ...rest } = call
		return {
			...rest,
			...this.#tagsOf(call),
			toIndex: this.#keys.blindIndex('number', call.to),
			deviceId: device.id,
			deviceLabel: device.label,
			legs: legs.map(storedLeg),
			changedAt: call.createdAt,
			currency: currencyOf(call) ?? null,
		}
	}

	/** Note and tags where they have changed, so that they are not encrypted anew for each event. */
	async #writeAnnotation(em: EntityManager, row: CallRow, after: Call, before: Call): Promise<void> {
		if (after.note !== before.note) {
			await runBound(em, `update calls set note = ${encrypted('$2', '$1', 'note')} where uuid = $1::uuid`, [after.uuid, after.note ?? null])
		}
		const { tags, tagIndex } = this.#tagsOf(after)
		if (tags !== this.#tagsOf(before).tags) {
			await runBound(em, `update calls set tags = ${encrypted('$2', '$1', 'tags')} where uuid = $1::uuid`, [after.uuid, tags])
			em.assign(row, { tagIndex })
		}
	}

	#tagsOf({ userId, tags }: Call): Pick<CallRow, 'tags' | 'tagIndex'> {
		return tags.length === 0
			? { tags: null, tagIndex: null }
			: { tags: JSON.stringify(tags), tagIndex: tags.map((tag) => this.#tagIndex(userId, tag)) }
	}

	/** Of this user alone: nobody can see that two people use the same tag. */
	#tagIndex(userId: string, tag: string): string {
		return this.#keys.blindIndex('tag', `${userId}\0${sameTag(tag)}`)
	}

	/** Forgets keys that nobody may rely on any more. */
	async forgetOldKeys(now: Date): Promise<void> {
		const before = new Date(now.getTime() - KEY_LIFETIME_MS)
		await this.#orm.em.fork().nativeDelete(IdempotencyEntity, { createdAt: { $lt: before } })
		await forgetRetiredKeys(this.#orm.em.fork(), before)
	}
}

async function findByKey(em: EntityManager, request: PlaceRequest, keys: KeyRing): Promise<Call | undefined> {
	if (request.idempotencyKey === undefined) {
		return undefined
	}
	const since = new Date(request.at.getTime() - KEY_LIFETIME_MS)
	if (await isKeyRetired(em, request.userId, request.idempotencyKey, since, keys)) {
		throw erased()
	}
	const known = await em.findOne(IdempotencyEntity, { userId: request.userId, key: request.idempotencyKey })
	if (known === null || known.createdAt.getTime() < since.getTime()) {
		return undefined
	}
	// Without the call nobody knows any more what was asked for.
	if (!known.callUuid) {
		throw erased()
	}
	if (known.bodyHash !== bodyIndex(request, keys)) {
		throw new SipCallError('idempotency_key_reused', 'This Idempotency-Key was used for another call. Use a new key for each new call.')
	}
	const row = await em.findOneOrFail(CallEntity, { uuid: known.callUuid })
	return callOf(row)
}

/** Keyed: whoever has the disk could try all numbers on a plain hash of what was asked for. */
function bodyIndex({ bodyHash }: PlaceRequest, keys: KeyRing): string {
	return keys.blindIndex('body', bodyHash)
}

function erased(): SipCallError {
	return new SipCallError('call_erased', 'This Idempotency-Key stands for a call that was made and has been erased since. Nothing was dialled again. Use a new key for a new call.')
}

/** What a transfer that was refused, or an end that is told anew, takes away again. */
const REVOCABLE = { transfer: null, outcome: null, endedBy: null, leg: null, cause: null, reason: null, userAnsweredAt: null, ringingAt: null, answeredAt: null, endedAt: null, talkMs: null, costMicros: null } as const

/** What can change after a call was placed. The rest is left out, so that it is not encrypted anew for each event. */
function changesOf(call: Call): Partial<CallRow> {
	const { uuid, userId, to, rawTo, extension, country, rate, ownRate, reservedMicros, device, callerId, note, tags, legs, isUnreadable, ...changes } = call
	return { ...REVOCABLE, ...changes, legs: legs.map(storedLeg) } as Partial<CallRow>
}

/** What cannot be decrypted is left out; the number, what was typed and the phone's name are then empty. */
function callOf(row: CallRow): Call {
	const { deviceId, deviceLabel, toIndex, tagIndex, changedAt, currency, carrierCostAt, to, rawTo, tags, legs, ...rest } = row
	const isUnreadable = [to, rawTo, deviceLabel, tags, ...Object.values(rest)].includes(UNREADABLE)
	const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null && value !== UNREADABLE))
	return {
		...known as Omit<Call, 'to' | 'rawTo' | 'device' | 'tags' | 'legs'>,
		to: readable(to),
		rawTo: readable(rawTo),
		device: { id: deviceId, label: readable(deviceLabel) },
		tags: tags && tags !== UNREADABLE ? JSON.parse(tags) as string[] : [],
		legs: legs.map(loadedLeg),
		...(isUnreadable ? { isUnreadable } : {}),
	}
}

function readable(text: string): string {
	return text === UNREADABLE ? '' : text
}

function storedLeg(leg: Leg): StoredLeg {
	const { createdAt, ringingAt, answeredAt, endedAt, goneAt, ...rest } = leg
	const times = Object.entries({ createdAt, ringingAt, answeredAt, endedAt, goneAt })
		.flatMap(([key, time]) => time === undefined ? [] : [[key, time.toISOString()] as const])
	return { ...rest, ...Object.fromEntries(times) }
}

function loadedLeg(leg: StoredLeg): Leg {
	const { createdAt, ringingAt, answeredAt, endedAt, goneAt, ...rest } = leg
	const times = Object.entries({ createdAt, ringingAt, answeredAt, endedAt, goneAt })
		.flatMap(([key, time]) => time === undefined ? [] : [[key, new Date(time)] as const])
	return { ...rest, ...Object.fromEntries(times) }
}

function writeCursor(call: Call): string {
	return Buffer.from(JSON.stringify([call.createdAt.toISOString(), call.uuid])).toString('base64url')
}

function readCursor(cursor: string): { createdAt: Date, uuid: string } {
	try {
		const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
		const [time, uuid] = Array.isArray(value) ? value as unknown[] : []
		if (typeof time === 'string' && typeof uuid === 'string' && CURSOR_TIME.test(time) && Date.parse(time) >= 0 && UUID.test(uuid)) {
			return { createdAt: new Date(time), uuid }
		}
	} catch {
		// Falls through to the same answer as for a cursor of the wrong shape.
	}
	throw new SipCallError('invalid_request', 'The cursor is not one that this server gave out. Begin again without it.', { errors: [{ field: 'cursor', message: 'Unknown cursor' }] })
}
