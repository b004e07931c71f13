// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// A company that the product does not know, added as docs/developer/providers.md says: what a file of its own holds stands
// here, and the line is in the call of `providersOf`. All that is said of companies elsewhere must then be true of it.

import type { Call } from '../../../lib/calls/call.ts'
import type { ProviderKind } from '../../../lib/provider/index.ts'

import { describe, expect, it } from 'vitest'
import { costOf } from '../../../lib/calls/call-cost.ts'
import { CarrierCosts } from '../../../lib/calls/carrier-costs.ts'
import { parseEvent } from '../../../lib/esl/event-parser.ts'
import { lookAtCarrier } from '../../../lib/health/carrier.ts'
import { wholeSettingsSchema } from '../../../lib/policy/settings-schema.ts'
import { DEFAULT_SETTINGS } from '../../../lib/policy/settings.ts'
import { generic } from '../../../lib/provider/generic.ts'
import { providersOf } from '../../../lib/provider/index.ts'
import { telnyx } from '../../../lib/provider/telnyx.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { newCall } from '../../support/replay-call.ts'

const NOW = new Date('2026-11-28T12:00:00.000Z')
const DAY_MS = 86_400_000

/** Knows its credit, what calls cost and what it writes into refusals, and nothing of countries or numbers. */
const acme: ProviderKind = {
	displayName: 'Acme Trunks',
	hasApi: true,
	open: ({ apiKey }) => ({
		kind: 'acme',
		displayName: acme.displayName,
		health: async () => apiKey === 'right' ? { faults: [], credit: { micros: '5000000', currency: 'EUR' }, latencyMs: 1 } : { faults: ['key_refused'], credit: undefined, latencyMs: 1 },
		async* costs() {
			yield { id: '1', sipCallId: 'b', cost: { micros: '70000', currency: 'EUR' } }
		},
		explainFailure: ({ phrase }) => phrase === 'ACME-7' ? { verdict: 'trunk_blocked', code: 'ACME-7' } : undefined,
	}),
}

const providers = providersOf({ generic, telnyx, acme })
const log = new RecordedLog()
const open = (apiKey: string) => providers.open({ kind: 'acme', apiKey }, { logger: log, now: () => NOW.getTime() })

describe('a third company', () => {
	it('can be chosen, with a key', () => {
		expect(providers.kinds).toContainEqual({ kind: 'acme', displayName: 'Acme Trunks', hasApi: true })
		const schema = wholeSettingsSchema({ isProviderKind: providers.isKind, isDialTemplate: () => true, isGatewayName: () => true, isDomain: () => true })
		const faults = (provider: object) => schema.safeParse({ ...DEFAULT_SETTINGS, provider }).error?.issues.map(({ path }) => path.join('.')) ?? []
		expect(faults({ kind: 'acme', apiKey: 'right' })).toEqual([])
		expect(faults({ kind: 'acme' })).toEqual(['provider.apiKey'])
		expect(faults({ kind: 'nobody', apiKey: 'right' })).toContain('provider.kind')
	})

	it('is in the doctor by its name, and nothing is said of what it cannot be asked', async () => {
		const settings = { ...DEFAULT_SETTINGS, callerIds: [{ number: '+4930123456', label: 'Office' }], allowedCountries: ['DE'] }
		expect((await lookAtCarrier(open('right'), settings)).findings.map(({ text }) => text)).toEqual(['Acme Trunks answers. 5.00 EUR can still be spent.'])
		expect((await lookAtCarrier(open('wrong'), settings)).findings.map(({ text }) => text)).toEqual(['Acme Trunks refuses the key.'])
	})

	it('says what a call has cost', async () => {
		const ended = new Date(NOW.getTime() - DAY_MS)
		let call: Call = {
			...newCall({ aUuid: 'a', bUuid: 'b', jobUuid: undefined }),
			status: 'ended',
			createdAt: ended,
			endedAt: ended,
			carrierCost: { state: 'pending', looks: 0 },
			legs: [{ uuid: 'a', role: 'user' }, { uuid: 'b', role: 'destination', gateway: 'trunk', createdAt: ended }],
		}
		await new CarrierCosts({
			store: {
				findCostsDue: async () => [call],
				change: async (_uuid, change) => {
					const outcome = change(call)
					call = 'ignored' in outcome ? call : outcome.call
					return { call, changed: !('ignored' in outcome) }
				},
			},
			provider: () => open('right'),
			tell: () => {},
			clock: { now: () => NOW },
			logger: log,
		}).run()
		expect(costOf(call)).toEqual({ state: 'final', cost: { micros: '70000', currency: 'EUR' } })
	})

	it('says what it means by a refusal', () => {
		const refused = { 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', 'Unique-ID': 'b', variable_hangup_cause: 'CALL_REJECTED', variable_sip_term_status: '403', variable_sip_invite_failure_phrase: 'ACME-7' }
		expect(parseEvent(refused, NOW, open('right').explainFailure)).toMatchObject({ report: { end: { verdict: 'trunk_blocked', cause: { carrier: 'ACME-7' } } } })
		expect(parseEvent(refused, NOW, providers.open({ kind: 'generic' }, { logger: log, now: () => 0 }).explainFailure)).toMatchObject({ report: { end: { verdict: 'rejected' } } })
	})
})
