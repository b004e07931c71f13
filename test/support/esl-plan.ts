// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { OriginatePlan } from '../../lib/calls/ports.ts'

import { randomUUID } from 'node:crypto'

/** A plan for one call to 1000 and on through one gateway, with uuids of its own. */
export function newPlan({ extension = '1000', keys, gateway = 'trunk', number = '+4930123456', answerTimeoutSec = 30 }: { extension?: string, keys?: string, gateway?: string, number?: string, answerTimeoutSec?: number } = {}): OriginatePlan {
	return {
		callUuid: randomUUID(),
		jobUuid: randomUUID(),
		user: {
			legUuid: randomUUID(),
			target: { kind: 'sip', template: 'user/{address}@{domain}', address: extension, domain: undefined },
			callerId: undefined,
			ringTimeoutSec: 30,
		},
		destination: { number, ...(keys === undefined ? {} : { extension: keys }), legs: [{ legUuid: randomUUID(), gateway }], callerId: undefined, answerTimeoutSec, maxCallSec: 120 },
	}
}
