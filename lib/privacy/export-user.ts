// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallLogEntry } from '../calls/call-events.ts'
import type { Call } from '../calls/call.ts'
import type { Device } from '../calls/device.ts'
import type { HistoryQuery } from '../calls/ports.ts'
import type { Preferences } from '../calls/preferences.ts'
import type { UserRule } from '../policy/user-rule.ts'
import type { SignedReceipt } from './receipts.ts'

/** Grows when a field changes its meaning or goes; a new field alone does not change it. */
export const EXPORT_SCHEMA = 1

const PAGE = 200

export interface UserDataSources {
	devices: (userId: string) => Promise<Device[]>
	/** Clients outside of Nextcloud. */
	signIns: (userId: string) => Promise<{ createdAt: Date, expiresAt: Date }[]>
	/** Of what was erased before. */
	receipts: (userId: string) => Promise<SignedReceipt[]>
	/** What an admin has decided for the user. */
	rule: (userId: string) => Promise<UserRule>
	history: (userId: string, query: HistoryQuery) => Promise<{ items: Call[], nextCursor: string | undefined }>
	/** What the user has chosen. */
	preferences: (userId: string) => Promise<Preferences>
	/** What happened to each of these calls, by the call's uuid. */
	logs: (callUuids: readonly string[]) => Promise<Map<string, CallLogEntry[]>>
}

/**
 * All that is stored of a user as one JSON document, in pieces: `{ schema, exportedAt, userId, rule, preferences, devices, signIns, receipts,
 * calls }`. Calls come newest first, page by page, so that any number of them takes the memory of one page. Times are ISO 8601 in UTC;
 * talk time is milliseconds. Of sign-ins there are the times: the rest are hashes of random tokens.
 *
 * @yields {string} the document, piece by piece
 */
export async function* exportUser(userId: string, { devices, rule, preferences, signIns, receipts, history, logs }: UserDataSources, at: Date): AsyncGenerator<string> {
	const head = JSON.stringify({ schema: EXPORT_SCHEMA, exportedAt: at, userId, rule: await rule(userId), preferences: await preferences(userId), devices: await devices(userId), signIns: await signIns(userId), receipts: await receipts(userId) }, undefined, '\t')
	yield `${head.slice(0, -'\n}'.length)},\n\t"calls": [`
	let isFirst = true
	for (let cursor: string | undefined, isMore = true; isMore;) {
		const { items, nextCursor } = await history(userId, { limit: PAGE, cursor })
		const events = await logs(items.map(({ uuid }) => uuid))
		for (const call of items) {
			yield `${isFirst ? '' : ','}\n\t\t${JSON.stringify(exported(call, events.get(call.uuid) ?? []))}`
			isFirst = false
		}
		cursor = nextCursor
		isMore = nextCursor !== undefined
	}
	yield '\n\t]\n}\n'
}

/** The switch's own names of channels and jobs say nothing of the person, and are left out. */
function exported({ legs, jobUuid, node, longestSec, userId, originateFailure, ...call }: Call, events: CallLogEntry[]): unknown {
	return { ...call, events }
}
