// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The life of a code, with a clock that is set by hand and doubles for what stands outside.

import type { CallingUser } from '../../../lib/calls/call-rules.ts'
import type { Attempt, Check, CodeCaller, CodeCallPlan, Verification, VerificationStore } from '../../../lib/calls/device-verification.ts'
import type { Device } from '../../../lib/calls/device.ts'
import type { CallLimiter, NoSlot, Quota, QuotaRefusal, Slot } from '../../../lib/calls/ports.ts'
import type { CallFacts } from '../../../lib/policy/rules.ts'
import type { Settings } from '../../../lib/policy/settings.ts'

import { createHash, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { DeviceVerification } from '../../../lib/calls/device-verification.ts'
import { GatewayWatch } from '../../../lib/calls/gateway-watch.ts'
import { OriginateRefused } from '../../../lib/calls/ports.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'
import { NO_RULE } from '../../../lib/policy/user-rule.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const ALICE: CallingUser = { id: 'alice', groups: [] }
const BOB: CallingUser = { id: 'bob', groups: [] }
const MOBILE = '+4915123456701'
const MINUTE_MS = 60_000

class Shelf implements VerificationStore {
	readonly rows = new Map<string, Verification>()
	readonly #devices: Map<string, Device[]>

	constructor(devices: Map<string, Device[]>) {
		this.#devices = devices
	}

	async begin(verification: Verification): Promise<void> {
		this.rows.set(verification.deviceId, verification)
	}

	async ofUser(userId: string, at: Date): Promise<Verification[]> {
		return [...this.rows.values()].filter((row) => row.userId === userId && row.expiresAt > at)
	}

	async attempt(userId: string, deviceId: string, at: Date, check: Check): Promise<Attempt> {
		const row = this.rows.get(deviceId)
		const device = this.#devices.get(userId)?.find(({ id }) => id === deviceId)
		if (row === undefined || device === undefined || row.userId !== userId || row.expiresAt <= at) {
			return { result: 'none' }
		}
		const verdict = check(row, device.address)
		if (verdict === 'stale') {
			this.rows.delete(deviceId)
			return { result: 'none' }
		}
		if (row.triesLeft === 0) {
			return { result: 'spent', calledAt: row.calledAt }
		}
		if (verdict === 'wrong') {
			row.triesLeft--
			return { result: 'wrong', triesLeft: row.triesLeft, calledAt: row.calledAt }
		}
		this.rows.delete(deviceId)
		device.verified = true
		return { result: 'right', legUuid: row.legUuid }
	}

	async forget(legUuid: string): Promise<void> {
		for (const row of this.rows.values()) {
			if (row.legUuid === legUuid) {
				this.rows.delete(row.deviceId)
			}
		}
	}

	async forgetExpired(): Promise<void> {}
}

/** Fixed windows, as the real one has. */
class Counters implements Pick<CallLimiter, 'consume'> {
	readonly #windows = new Map<string, { used: number, endsAt: number }>()
	readonly #now: () => number

	constructor(now: () => number) {
		this.#now = now
	}

	async consume<Kind extends Quota>(key: string, quotas: readonly Kind[]): Promise<QuotaRefusal<Kind> | undefined> {
		for (const quota of quotas) {
			const window = this.#window(key, quota)
			if (window.used >= quota.max) {
				return { quota, retryAfterSec: Math.ceil((window.endsAt - this.#now()) / 1000) }
			}
		}
		for (const quota of quotas) {
			this.#window(key, quota).used++
		}
		return undefined
	}

	#window(key: string, { kind, windowSec }: Quota): { used: number, endsAt: number } {
		const id = `${kind} ${key}`
		const known = this.#windows.get(id)
		if (known !== undefined && known.endsAt > this.#now()) {
			return known
		}
		const opened = { used: 0, endsAt: this.#now() + windowSec * 1000 }
		this.#windows.set(id, opened)
		return opened
	}
}

class Phones implements CodeCaller {
	readonly asked: (CodeCallPlan | { killed: string })[] = []
	kept = 0
	refusal: NoSlot | undefined
	fault: Error | undefined

	reserve(): Slot | NoSlot {
		if (this.refusal !== undefined) {
			return this.refusal
		}
		this.kept++
		return { node: 'pbx:8021', turn: async () => false, answered: () => {}, release: () => this.kept-- }
	}

	async callWithCode(plan: CodeCallPlan): Promise<void> {
		this.asked.push(plan)
		if (this.fault !== undefined) {
			throw this.fault
		}
	}

	async kill(legUuid: string): Promise<void> {
		this.asked.push({ killed: legUuid })
	}

	get calls(): CodeCallPlan[] {
		return this.asked.filter((step) => 'code' in step)
	}
}

/** Of other calls. */
const NOTHING: CallFacts = { openOfUser: 0, openInAll: 0, distinctToday: 0, isCalledToday: false, isCountryKnown: true, callsLastHour: 0, spentToday: 0n, spentThisMonth: 0n }

let now: number
let locked: boolean
let settings: Settings
let devices: Map<string, Device[]>
let shelf: Shelf
let phones: Phones
let log: RecordedLog
let verification: DeviceVerification

function phoneOf(user: CallingUser, address = MOBILE, device: Partial<Device> = {}): string {
	const id = randomUUID()
	devices.set(user.id, [...devices.get(user.id) ?? [], { id, kind: 'phone', label: 'Mobile', address, isDefault: true, verified: false, ...device }])
	return id
}

function pass(ms: number): void {
	now += ms
}

/** The code that the last call read out. */
function heard(): string {
	return phones.calls.at(-1)?.code ?? ''
}

/** A code that it was not. */
function other(code: string): string {
	return String((Number(code) + 1) % 10_000).padStart(4, '0')
}

beforeEach(() => {
	now = Date.parse('2026-11-24T12:00:00Z')
	settings = { ...DEFAULT_SETTINGS, homeCountry: 'DE', allowedGroups: null }
	locked = false
	devices = new Map()
	shelf = new Shelf(devices)
	phones = new Phones()
	log = new RecordedLog()
	verification = new DeviceVerification({
		carrierCountries: () => undefined,
		onVerified: () => {},
		store: shelf,
		lockout: { note: async () => {} },
		calls: { noteSpent: async () => {}, facts: async () => ({ facts: NOTHING, handedOver: 0, rule: locked ? { ...NO_RULE, lock: { until: new Date(now + MINUTE_MS), by: 'admin' } } : NO_RULE }) },
		codeCaller: phones,
		gateways: new GatewayWatch({ nodes: () => [], gateways: () => [], logger: new RecordedLog() }),
		limiter: new Counters(() => now),
		settings: () => settings,
		devices: async (userId) => (devices.get(userId) ?? []).map((device) => ({ ...device })),
		blindIndex: (purpose, value) => createHash('sha256').update(`${purpose}\0${value}`).digest('hex'),
		clock: { now: () => new Date(now) },
		newUuid: randomUUID,
		logger: log,
	})
})

describe('a code', () => {
	it('is read out on the phone, and makes it verified when it is typed', async () => {
		settings = { ...settings, callerIds: [{ number: '+4930999999', label: 'Office' }], ringTimeoutSec: 25, gateways: ['first', 'second'] }
		const id = phoneOf(ALICE)
		expect(await verification.call(ALICE, id)).toEqual({ triesLeft: 3, expiresAt: new Date(now + 10 * MINUTE_MS), nextCallAt: new Date(now + MINUTE_MS) })
		expect(phones.calls).toMatchObject([{ gateway: 'first', number: MOBILE, callerId: '+4930999999', ringTimeoutSec: 25, code: expect.stringMatching(/^[0-9]{4}$/) }])
		expect(await verification.confirm(ALICE, id, heard())).toMatchObject({ id, address: MOBILE, verified: true })
		expect(devices.get('alice')).toMatchObject([{ id, verified: true }])
		expect(shelf.rows.size).toBe(0)
		expect(phones.asked.at(-1)).toEqual({ killed: phones.calls[0]?.legUuid })
	})

	it('is answered by the verified phone also the second time, when the first answer was lost', async () => {
		const id = phoneOf(ALICE)
		await verification.call(ALICE, id)
		await verification.confirm(ALICE, id, heard())
		expect(await verification.confirm(ALICE, id, heard())).toMatchObject({ id, verified: true })
	})

	it('may be mistyped twice; the third wrong one ends it, and the right one comes too late', async () => {
		const id = phoneOf(ALICE)
		const { nextCallAt } = await verification.call(ALICE, id)
		const code = heard()
		for (const triesLeft of [2, 1, 0]) {
			await expect(verification.confirm(ALICE, id, other(code))).rejects.toMatchObject({ code: 'wrong_code', extra: { triesLeft, nextCallAt: nextCallAt.toISOString() } })
		}
		pass(20_500)
		await expect(verification.confirm(ALICE, id, code)).rejects.toMatchObject({ code: 'limit_reached', retryAfterSec: 40, extra: { triesLeft: 0, nextCallAt: nextCallAt.toISOString() } })
		pass(MINUTE_MS)
		await expect(verification.confirm(ALICE, id, code)).rejects.toMatchObject({ code: 'limit_reached', retryAfterSec: 1 })
		expect(devices.get('alice')).toMatchObject([{ verified: false }])
	})

	it('is worth something for 10 minutes and not a millisecond longer', async () => {
		const [good, late] = [phoneOf(ALICE), phoneOf(BOB)]
		await verification.call(ALICE, good)
		const first = heard()
		await verification.call(BOB, late)
		pass(10 * MINUTE_MS - 1)
		expect(await verification.confirm(ALICE, good, first)).toMatchObject({ verified: true })
		pass(1)
		await expect(verification.confirm(BOB, late, heard())).rejects.toMatchObject({ code: 'wrong_state' })
	})

	it('is of no use for another phone, to another user, or once the number has changed', async () => {
		const [mobile, home] = [phoneOf(ALICE), phoneOf(ALICE, '+4930123456')]
		await verification.call(ALICE, mobile)
		await expect(verification.confirm(ALICE, home, heard())).rejects.toMatchObject({ code: 'wrong_state' })
		await expect(verification.confirm(BOB, mobile, heard())).rejects.toMatchObject({ code: 'not_found' })
		const [first] = devices.get('alice') ?? []
		Object.assign(first ?? {}, { address: '+4930777777' })
		await expect(verification.confirm(ALICE, mobile, heard())).rejects.toMatchObject({ code: 'wrong_state' })
		expect(first?.verified).toBe(false)
	})

	it('replaces the one before it, whose call is hung up, and brings three new tries', async () => {
		const id = phoneOf(ALICE)
		await verification.call(ALICE, id)
		const first = heard()
		await verification.confirm(ALICE, id, other(first)).catch(() => {})
		pass(MINUTE_MS)
		while (heard() === first) {
			expect(await verification.call(ALICE, id)).toMatchObject({ triesLeft: 3 })
			pass(MINUTE_MS)
		}
		expect(phones.asked.slice(0, 3)).toMatchObject([{ code: first }, { killed: phones.calls[0]?.legUuid }, { number: MOBILE }])
		await expect(verification.confirm(ALICE, id, first)).rejects.toMatchObject({ code: 'wrong_code', extra: { triesLeft: 2 } })
		expect(await verification.confirm(ALICE, id, heard())).toMatchObject({ verified: true })
	})

	it('stands nowhere in what is stored, logged or answered; the number neither', async () => {
		const id = phoneOf(ALICE)
		const state = await verification.call(ALICE, id)
		const error: unknown = await verification.confirm(ALICE, id, other(heard())).catch((reason: unknown) => reason)
		// In quotes: four digits may well stand within a hash.
		const told = JSON.stringify([state, error, [...shelf.rows.values()], log.lines])
		expect(told).not.toContain(`"${heard()}"`)
		expect(told).not.toContain(MOBILE.slice(1))
	})

	it('is as often one as another: 4,000 codes have each digit at each place 400 times, give or take 115', async () => {
		const counts = Array.from({ length: 4 }, () => Array.from({ length: 10 }, () => 0))
		for (let index = 0; index < 4_000; index++) {
			shelf.rows.clear()
			const user = { id: `user${index}`, groups: [] }
			await verification.call(user, phoneOf(user, `+4915123${String(index).padStart(6, '0')}`))
			Array.from(heard(), Number).forEach((digit, place) => {
				const row = counts[place] ?? []
				row[digit] = (row[digit] ?? 0) + 1
			})
		}
		expect(counts.flat().every((count) => Math.abs(count - 400) < 115)).toBe(true)
	})
})

describe('a call with a code', () => {
	it('may follow the last one after 60 seconds, 10 times a day for a user', async () => {
		const ids = [phoneOf(ALICE), phoneOf(ALICE, '+4930123456'), phoneOf(ALICE, '+4930777777')]
		await verification.call(ALICE, ids[0] ?? '')
		pass(59_000)
		await expect(verification.call(ALICE, ids[1] ?? '')).rejects.toMatchObject({ code: 'limit_reached', retryAfterSec: 1, rateLimit: { policy: 'verificationsPerMinute', quota: 1 }, extra: { nextCallAt: new Date(now + 1000).toISOString() } })
		for (let count = 1; count < 10; count++) {
			pass(MINUTE_MS)
			await verification.call(ALICE, ids[count % 3] ?? '')
		}
		pass(MINUTE_MS)
		await expect(verification.call(ALICE, ids[1] ?? '')).rejects.toMatchObject({ code: 'limit_reached', rateLimit: { policy: 'verificationsPerDay', quota: 10 } })
		expect(phones.calls).toHaveLength(10)
	})

	it('rings one phone 5 times a day, whoever asks', async () => {
		const users = Array.from({ length: 6 }, (_, index): CallingUser => ({ id: `user${index}`, groups: [] }))
		for (const user of users.slice(0, 5)) {
			await verification.call(user, phoneOf(user))
		}
		const [last = ALICE] = users.slice(5)
		await expect(verification.call(last, phoneOf(last))).rejects.toMatchObject({ code: 'limit_reached', rateLimit: { policy: 'verificationsOfPhonePerDay', quota: 5 } })
		pass(24 * 60 * MINUTE_MS)
		await verification.call(last, devices.get(last.id)?.[0]?.id ?? '')
		expect(phones.calls).toHaveLength(6)
	})

	it('does not use up the calls of a phone when the user asks too soon', async () => {
		const id = phoneOf(ALICE)
		await verification.call(ALICE, id)
		for (let count = 0; count < 20; count++) {
			await verification.call(ALICE, id).catch(() => {})
		}
		pass(MINUTE_MS)
		await verification.call(ALICE, id)
		expect(phones.calls).toHaveLength(2)
	})

	it.each([
		['112', {}, 'emergency_number'],
		['+8613812345678', {}, 'destination_not_allowed'],
		['+499001234567', {}, 'destination_not_allowed'],
		[MOBILE, { deniedPrefixes: ['+49151'] }, 'destination_not_allowed'],
		[MOBILE, { allowedGroups: ['sales'] }, 'calling_not_permitted'],
	] as const)('to %s under %j is refused as a call is: %s', async (address, changed, code) => {
		settings = { ...settings, ...changed } as Settings
		await expect(verification.call(ALICE, phoneOf(ALICE, address))).rejects.toMatchObject({ code })
		expect(phones.asked).toEqual([])
		expect(shelf.rows.size).toBe(0)
	})

	it('is refused to a user whose calling is locked', async () => {
		locked = true
		await expect(verification.call(ALICE, phoneOf(ALICE))).rejects.toMatchObject({ code: 'account_locked' })
		expect(phones.asked).toEqual([])
	})

	it('has nothing to do for an extension, a verified phone, or while no code is asked for', async () => {
		const desk = phoneOf(ALICE, '1000', { kind: 'sip' })
		await expect(verification.call(ALICE, desk)).rejects.toMatchObject({ code: 'wrong_state', message: 'An extension needs no code.' })
		await expect(verification.confirm(ALICE, desk, '1234')).rejects.toMatchObject({ code: 'wrong_state' })
		settings = { ...settings, deviceVerification: { phone: 'code', sip: 'admin' } }
		await expect(verification.call(ALICE, desk)).rejects.toMatchObject({ code: 'wrong_state', message: 'An extension needs no code: your administrator verifies it.' })
		await expect(verification.call(ALICE, phoneOf(ALICE, MOBILE, { verified: true }))).rejects.toMatchObject({ code: 'wrong_state' })
		settings = { ...settings, deviceVerification: { phone: 'none', sip: 'none' } }
		await expect(verification.call(ALICE, phoneOf(ALICE, '+4930123456'))).rejects.toMatchObject({ code: 'wrong_state' })
		await expect(verification.call(ALICE, randomUUID())).rejects.toMatchObject({ code: 'not_found' })
		expect(phones.asked).toEqual([])
	})

	it('is not tried, and not counted, while the switch is away', async () => {
		const id = phoneOf(ALICE)
		phones.refusal = { refused: 'away', retryAfterSec: 10 }
		for (let count = 0; count < 12; count++) {
			await expect(verification.call(ALICE, id)).rejects.toMatchObject({ code: 'switch_unavailable' })
		}
		phones.refusal = undefined
		await verification.call(ALICE, id)
		expect(phones.calls).toHaveLength(1)
	})

	it('that the switch has not taken leaves no code behind', async () => {
		const id = phoneOf(ALICE)
		phones.fault = new OriginateRefused({ cause: { name: 'FACILITY_REJECTED', q850: 29 }, verdict: 'misconfigured' })
		await expect(verification.call(ALICE, id)).rejects.toMatchObject({ code: 'switch_unavailable', retryAfterSec: 60 })
		expect(shelf.rows.size).toBe(0)
	})

	it('that nobody has confirmed may ring: its code is good', async () => {
		const id = phoneOf(ALICE)
		phones.fault = new Error('timeout')
		await verification.call(ALICE, id)
		expect(await verification.confirm(ALICE, id, heard())).toMatchObject({ verified: true })
	})
})
