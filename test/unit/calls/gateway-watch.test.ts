// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { GatewayCondition } from '../../../lib/calls/switch-inquiry.ts'

import { describe, expect, it } from 'vitest'
import { GatewayWatch } from '../../../lib/calls/gateway-watch.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const NODE = 'pbx:8021'
const GATEWAYS = ['first', 'second', 'third']

/** @param answers what the switch says of each gateway; a rejection when it says nothing */
function watch(answers: Partial<Record<string, GatewayCondition | Promise<GatewayCondition>>> = {}, isReady = true) {
	const log = new RecordedLog()
	const gateways = new GatewayWatch({
		nodes: () => [{ name: NODE, isReady: () => isReady, gateway: async (name) => await (answers[name] ?? Promise.reject(new Error('No answer'))) }],
		gateways: () => GATEWAYS,
		logger: log,
	})
	return { gateways, log, answers }
}

describe('the gateways', () => {
	it('are tried in the order of the settings, those that are down or not there last', async () => {
		const { gateways } = watch({ first: 'silent', second: 'missing', third: 'registered' })
		expect(gateways.inOrder(GATEWAYS)).toEqual(GATEWAYS)
		await gateways.ask()
		expect(gateways.inOrder(GATEWAYS)).toEqual(['third', 'first', 'second'])
	})

	it.each<[GatewayCondition, boolean]>([
		['silent', true],
		['registration_failed', true],
		['missing', false],
		['registering', false],
		['unwatched', false],
		['answers', false],
		['registered', false],
		['not_told', false],
	])('refuse a call when all of them are %s: %s', async (condition, isRefused) => {
		const { gateways } = watch({ first: condition, second: 'silent', third: 'silent' })
		await gateways.ask()
		const need = () => gateways.need(GATEWAYS)
		if (isRefused) {
			expect(need).toThrow(expect.objectContaining({ code: 'trunk_unavailable', retryAfterSec: 15 }))
		} else {
			expect(need).not.toThrow()
		}
	})

	it('are down and up at once when the switch tells, which is logged once each', async () => {
		const { gateways, log } = watch()
		gateways.tell('first', false, NODE)
		gateways.tell('first', false, NODE)
		expect(gateways.inOrder(GATEWAYS)).toEqual(['second', 'third', 'first'])
		gateways.tell('first', true, NODE)
		expect(gateways.inOrder(GATEWAYS)).toEqual(GATEWAYS)
		expect(log.lines.map(({ level, message }) => [level, message])).toEqual([['warn', 'A gateway is down: calls try it last'], ['info', 'A gateway is up again']])
	})

	it('stay as the switch told last, also when an answer comes that is older', async () => {
		const { promise, resolve } = Promise.withResolvers<GatewayCondition>()
		const { gateways } = watch({ first: promise })
		const asked = gateways.ask()
		gateways.tell('first', false, NODE)
		resolve('answers')
		await asked
		expect(gateways.inOrder(GATEWAYS)).toEqual(['second', 'third', 'first'])
	})

	it('that are others’ are not remembered, however many there are', () => {
		const { gateways } = watch()
		gateways.tell('stranger', false, NODE)
		expect(gateways.inOrder(['stranger', 'first'])).toEqual(['stranger', 'first'])
	})

	it('of another connection are asked for anew, and what is not answered is not held against them', async () => {
		const { gateways, answers } = watch({ first: 'silent', second: 'silent' })
		await gateways.ask()
		answers.first = undefined
		await gateways.ask()
		expect(gateways.inOrder(GATEWAYS)).toEqual(['third', 'first', 'second'])
		await gateways.begin(NODE)
		expect(gateways.inOrder(GATEWAYS)).toEqual(['first', 'third', 'second'])
	})

	it('are not asked for while there is no switch', async () => {
		const { gateways } = watch({ first: 'silent' }, false)
		await gateways.ask()
		expect(gateways.inOrder(GATEWAYS)).toEqual(GATEWAYS)
	})
})

describe('the gateways of two nodes', () => {
	it('are known by node and name; a call that may go through any node minds what is so on each', async () => {
		const states: Record<string, GatewayCondition> = { 'one first': 'silent', 'one second': 'answers', 'two first': 'silent', 'two second': 'silent' }
		let isTwoReady = true
		const log = new RecordedLog()
		const gateways = new GatewayWatch({
			nodes: () => ['one', 'two'].map((name) => ({ name, isReady: () => name === 'one' || isTwoReady, gateway: async (gateway) => states[`${name} ${gateway}`] ?? 'not_told' })),
			gateways: () => ['first', 'second'],
			logger: log,
		})
		const both = ['first', 'second']
		await gateways.ask()
		expect(gateways.inOrder(both, 'one')).toEqual(['second', 'first'])
		expect(gateways.inOrder(both, 'two')).toEqual(both)
		expect(gateways.inOrder(both)).toEqual(['second', 'first'])
		expect([gateways.hasAny(both, 'one'), gateways.hasAny(both, 'two'), gateways.hasAny(both)]).toEqual([true, false, true])
		expect(() => gateways.need(both, 'two')).toThrow(expect.objectContaining({ code: 'trunk_unavailable' }))
		expect(() => gateways.need(both)).not.toThrow()
		expect(() => gateways.need(['first'])).toThrow(expect.objectContaining({ code: 'trunk_unavailable' }))
		gateways.tell('first', true, 'two')
		expect(() => gateways.need(['first'])).not.toThrow()
		isTwoReady = false
		expect(() => gateways.need(['first'])).toThrow(expect.objectContaining({ code: 'trunk_unavailable' }))
		expect(log.lines.at(-1)?.fields).toMatchObject({ gateway: 'first', node: 'two' })
	})
})
