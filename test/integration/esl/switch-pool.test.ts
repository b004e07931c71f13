// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Several FreeSWITCHes: which one dials, that nothing is written to two, and where a call is looked for.

import type { NoSlot, Slot } from '../../../lib/calls/ports.ts'
import type { ScriptedFreeSwitch, ScriptedFreeSwitchOptions } from '../../stand-ins/freeswitch/index.ts'

import { afterEach, describe, expect, it, vi } from 'vitest'
import { dialInTurn } from '../../../lib/calls/dialling.ts'
import { OriginateRefused } from '../../../lib/calls/ports.ts'
import { FreeSwitch } from '../../../lib/esl/freeswitch.ts'
import { SwitchPool } from '../../../lib/esl/switch-pool.ts'
import { startScriptedFreeSwitch } from '../../stand-ins/freeswitch/index.ts'
import { newPlan } from '../../support/esl-plan.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const UNKNOWN_UUID = '99999999-9999-4999-8999-999999999999'

const undo: (() => void | Promise<void>)[] = []
afterEach(async () => {
	vi.restoreAllMocks()
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
})

interface Stage {
	pool: SwitchPool
	nodes: ScriptedFreeSwitch[]
	names: string[]
}

async function start(...options: ScriptedFreeSwitchOptions[]): Promise<Stage> {
	const nodes = await Promise.all(options.map((own) => startScriptedFreeSwitch({ heartbeatSec: 0, scenario: () => 'no_answer_timeout', ...own })))
	const pool = new SwitchPool({ logger: new RecordedLog(), now: () => new Date() })
	undo.push(async () => {
		pool.stop()
		await Promise.all(nodes.map((node) => node.stop()))
	})
	const ready = Promise.withResolvers<void>()
	const up = new Set<string>()
	pool.listen({
		onNotice: () => {},
		onReady: (node) => {
			if (up.add(node).size === nodes.length) {
				ready.resolve()
			}
		},
	})
	pool.connectTo(nodes.map(({ host, port }) => ({ host, port, password: 'ClueCon' })))
	await ready.promise
	return { pool, nodes, names: nodes.map(({ host, port }) => `${host}:${port}`) }
}

function slotOf(kept: Slot | NoSlot): Slot {
	if ('refused' in kept) {
		throw new Error(`There is no place: ${kept.refused}`)
	}
	return kept
}

function reserve(pool: SwitchPool): Slot {
	return slotOf(pool.reserve(() => true))
}

async function dial(pool: SwitchPool, slot = reserve(pool), plan = newPlan()) {
	await dialInTurn(slot, { callSwitch: pool }, (node) => pool.originate(plan, node))
	return plan
}

/** How many originates each node has got on the wire. */
function written(nodes: readonly ScriptedFreeSwitch[]): number[] {
	return nodes.map(({ commands }) => commands.filter(({ command }) => command.startsWith('bgapi originate')).length)
}

async function untilAway(pool: SwitchPool, name: string): Promise<void> {
	await vi.waitFor(() => expect(pool.isReady(name)).toBe(false), { timeout: 10_000, interval: 5 })
}

async function refresh(pool: SwitchPool): Promise<void> {
	await Promise.all(pool.nodes.map((node) => node.refreshLoad()))
}

describe('the node that dials', () => {
	it('is the least busy one: by its sessions of those there may be, calls that were just given to it counted', async () => {
		const { pool, names } = await start({ maxSessions: 1000 }, { maxSessions: 500 }, { maxSessions: 500 })
		expect(Array.from({ length: 4 }, () => reserve(pool).node)).toEqual([names[0], names[1], names[2], names[0]])
		await dial(pool, slotOf(pool.reserve((node) => node === names[1])))
		await refresh(pool)
		expect(Array.from({ length: 2 }, () => slotOf(pool.reserve((node) => node !== names[0])).node)).toEqual([names[2], names[1]])
	})

	it('is none that its caller has no use for, that is paused, full or away', async () => {
		const { pool, nodes, names } = await start({ maxSessions: 500 }, { maxSessions: 1 })
		expect(reserve(pool).node).toBe(names[0])
		expect(pool.reserve((node) => node === names[1])).toEqual({ refused: 'full', retryAfterSec: 10 })
		nodes[0]?.pause(true)
		await refresh(pool)
		expect(pool.reserve(() => true)).toEqual({ refused: 'full', retryAfterSec: 10 })
		nodes[0]?.pause(false)
		await refresh(pool)
		expect(reserve(pool).node).toBe(names[0])
		await nodes[0]?.stop()
		await untilAway(pool, names[0] ?? '')
		expect(pool.reserve((node) => node === names[0])).toEqual({ refused: 'away', retryAfterSec: 10 })
		expect(pool.reserve(() => false)).toEqual({ refused: 'away', retryAfterSec: 10 })
	})

	it('is the next one when the first goes away before anything was written', async () => {
		const { pool, nodes, names } = await start({}, {})
		const slot = reserve(pool)
		expect(slot.node).toBe(names[0])
		await nodes[0]?.stop()
		await untilAway(pool, slot.node)
		const plan = await dial(pool, slot)
		expect(written(nodes)).toEqual([0, 1])
		expect(nodes[1]?.originates[0]?.jobUuid).toBe(plan.jobUuid)
	})

	it('is nobody when all of them go away', async () => {
		const { pool, nodes, names } = await start({}, {})
		const slot = reserve(pool)
		for (const [index, node] of nodes.entries()) {
			await node.stop()
			await untilAway(pool, names[index] ?? '')
		}
		await expect(dial(pool, slot)).rejects.toMatchObject({ name: 'OriginateRefused', failure: { verdict: 'not_dialled' } })
	})

	it.each(['drop', 'drop-unheard', 'deny'] as const)('stays the only one when the line was cut or the switch says no (%s)', async (fault) => {
		const { pool, nodes } = await start({}, {})
		for (const node of nodes) {
			node.onCommand = (command) => command.startsWith('bgapi') ? fault : undefined
		}
		await expect(dial(pool)).rejects.toThrow()
		expect(written(nodes)).toEqual([1, 0])
	})

	it('stays the only one when what was to be written is code', async () => {
		const { pool, nodes } = await start({}, {})
		await expect(dial(pool, reserve(pool), { ...newPlan(), callUuid: 'x y' })).rejects.toBeInstanceOf(OriginateRefused)
		expect(written(nodes)).toEqual([0, 0])
	})
})

describe('a node’s sessions per second', () => {
	it('are read from its status, not from its HEARTBEAT, which tells what is left of them', async () => {
		const { pool, nodes, names } = await start({ sessionsPerSecond: 30 })
		expect(pool.figuresOf(names[0] ?? '')).toMatchObject({ sessionsPerSec: 30, callsPerSec: 14, heartbeatAgeSec: undefined })
		await dial(pool)
		nodes[0]?.beat()
		await vi.waitFor(() => expect(pool.figuresOf(names[0] ?? '')?.heartbeatAgeSec).toBeDefined(), { timeout: 10_000, interval: 5 })
		expect(pool.figuresOf(names[0] ?? '')).toMatchObject({ sessionsPerSec: 30, sessions: 1 })
	})

	it('are filled with calls on each node before anybody is refused', async () => {
		const { pool, names } = await start({ sessionsPerSecond: 4 }, { sessionsPerSecond: 4 })
		const kept = Array.from({ length: 6 }, () => pool.reserve(() => true))
		expect(kept.map((slot) => 'refused' in slot ? slot.refused : slot.node)).toEqual([...names, ...names, 'pace', 'pace'])
		expect(pool.figures()).toMatchObject([{ waiting: 1, refused: 2 }, { waiting: 1, refused: 2 }])
		kept.forEach((slot) => 'release' in slot && slot.release())
		expect(pool.figures()).toMatchObject([{ waiting: 0 }, { waiting: 0 }])
	})

	it('make the second call wait, unless nobody wants it any more', async () => {
		const { pool, nodes } = await start({ sessionsPerSecond: 4 })
		await dial(pool)
		const giveUp = new AbortController()
		const waiting = dialInTurn(reserve(pool), { callSwitch: pool, signal: giveUp.signal }, (node) => pool.originate(newPlan(), node))
		giveUp.abort()
		await expect(waiting).rejects.toMatchObject({ failure: { verdict: 'cancelled' } })
		const unwanted = dialInTurn(reserve(pool), { callSwitch: pool, isWanted: async () => false }, (node) => pool.originate(newPlan(), node))
		await expect(unwanted).rejects.toMatchObject({ failure: { verdict: 'cancelled' } })
		const doubtful = dialInTurn(reserve(pool), { callSwitch: pool, isLate: true, isWanted: async () => 'unknown' }, (node) => pool.originate(newPlan(), node))
		await expect(doubtful).rejects.toMatchObject({ failure: { verdict: 'not_dialled' } })
		await dial(pool)
		expect(written(nodes)).toEqual([2])
	})
})

describe('a call', () => {
	it('is looked for on its own node, and then on the others', async () => {
		const { pool, nodes, names } = await start({}, {})
		const { user: { legUuid } } = await dial(pool, slotOf(pool.reserve((node) => node === names[1])))
		await nodes[1]?.until(() => nodes[1]?.channels().length === 1)
		for (const node of [names[1], names[0], undefined, 'elsewhere:8021']) {
			expect(await pool.look(legUuid, node)).toMatchObject({ legUuid, node: names[1] })
		}
		expect(await pool.look(UNKNOWN_UUID, names[0])).toBeUndefined()
	})

	it('is not declared gone while a node that may have it cannot be asked', async () => {
		const { pool, nodes, names } = await start({}, {})
		await nodes[0]?.stop()
		await untilAway(pool, names[0] ?? '')
		await expect(pool.look(UNKNOWN_UUID, names[0])).rejects.toThrow()
		await expect(pool.look(UNKNOWN_UUID, undefined)).rejects.toThrow()
		await expect(pool.look(UNKNOWN_UUID, names[1])).rejects.toThrow()
		// Its own node says no, and a peer that has been away for so long has taken nothing over.
		vi.spyOn(FreeSwitch.prototype, 'awayMs', 'get').mockReturnValue(30_000)
		expect(await pool.look(UNKNOWN_UUID, names[1])).toBeUndefined()
		await expect(pool.look(UNKNOWN_UUID, names[0])).rejects.toThrow()
	})

	it('is hung up on its own node; on all of them when that is away or not known', async () => {
		const { pool, nodes, names } = await start({}, {})
		const killed = () => nodes.map(({ commands }) => commands.filter(({ command }) => command.startsWith('api uuid_kill')).length)
		await pool.kill(UNKNOWN_UUID, names[1])
		expect(killed()).toEqual([0, 1])
		await pool.kill(UNKNOWN_UUID)
		expect(killed()).toEqual([1, 2])
		await nodes[1]?.stop()
		await untilAway(pool, names[1] ?? '')
		await pool.kill(UNKNOWN_UUID, names[1])
		expect(killed()).toEqual([2, 2])
		await nodes[0]?.stop()
		await untilAway(pool, names[0] ?? '')
		await expect(pool.kill(UNKNOWN_UUID, names[1])).rejects.toMatchObject({ code: 'not_connected' })
	})

	it('of which nobody knows the node is held where it is, and nowhere when that cannot be told', async () => {
		const { pool, nodes, names } = await start({}, {})
		const { user: { legUuid } } = await dial(pool, slotOf(pool.reserve((node) => node === names[1])))
		await nodes[1]?.until(() => nodes[1]?.channels().length === 1)
		expect(await pool.hold(UNKNOWN_UUID, true)).toBe('refused')
		await pool.hold(legUuid, true)
		const held = () => nodes.map(({ commands }) => commands.filter(({ command }) => command.startsWith('api uuid_hold')).length)
		expect(held()).toEqual([0, 1])
		await nodes[1]?.stop()
		await untilAway(pool, names[1] ?? '')
		expect(await pool.hold(legUuid, true)).toBe('not_written')
		expect(held()).toEqual([0, 1])
	})
})

describe('the nodes', () => {
	it('that stay keep their connections when others come and go', async () => {
		const { pool, nodes, names } = await start({}, {})
		const [first, second] = nodes.map(({ host, port }) => ({ host, port, password: 'ClueCon' }))
		if (first === undefined || second === undefined) {
			throw new Error('There are no nodes')
		}
		const before = nodes[1]?.commands.length
		pool.connectTo([second])
		expect(pool.nodes.map(({ name }) => name)).toEqual([names[1]])
		expect(pool.isReady(names[1])).toBe(true)
		await pool.look(UNKNOWN_UUID)
		expect(nodes[1]?.commands.length).toBe((before ?? 0) + 1)
		pool.connectTo([])
		expect(pool.isSetUp).toBe(false)
		expect(pool.isReady()).toBe(false)
		await expect(pool.look(UNKNOWN_UUID)).rejects.toMatchObject({ code: 'not_connected' })
	})

	it('whose events somebody else takes have one connection, and are ready by it', async () => {
		const stage = await startScriptedFreeSwitch({ heartbeatSec: 0 })
		undo.push(() => stage.stop())
		const freeSwitch = new FreeSwitch({ logger: new RecordedLog(), now: () => new Date() })
		undo.push(() => freeSwitch.stop())
		freeSwitch.consume(false)
		let ready = Promise.withResolvers<void>()
		freeSwitch.listen({ onNotice: () => {}, onReady: () => ready.resolve() })
		freeSwitch.connectTo({ host: stage.host, port: stage.port, password: 'ClueCon' })
		await ready.promise
		expect(freeSwitch.isReady()).toBe(true)
		expect(stage.clients).toBe(1)
		await freeSwitch.hearsEvents()
		ready = Promise.withResolvers<void>()
		freeSwitch.consume(true)
		expect(freeSwitch.isReady()).toBe(false)
		await ready.promise
		expect(stage.clients).toBe(2)
		freeSwitch.consume(false)
		await vi.waitFor(() => expect(stage.clients).toBe(1), { timeout: 10_000, interval: 5 })
		expect(freeSwitch.isReady()).toBe(true)
	})
})
