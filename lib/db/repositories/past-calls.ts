// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CallLogEntry } from '../../calls/call-events.ts'
import type { Call } from '../../calls/call.ts'
import type { CallStore, HistoryQuery } from '../../calls/ports.ts'
import type { ReadReplicas } from '../read-replicas.ts'
import type { CallRepositoryOptions } from './call-repository.ts'

import { CallRepository } from './call-repository.ts'

/** Calls for whoever looks back: what others have just stored may be missing, what the user has changed is not. */
export class PastCalls implements Pick<CallStore, 'history'> {
	readonly #readReplicas: Pick<ReadReplicas, 'read'>
	readonly #options: Pick<CallRepositoryOptions, 'keys' | 'clock' | 'onUnreadable'>

	constructor({ readReplicas, ...options }: Pick<CallRepositoryOptions, 'keys' | 'clock' | 'onUnreadable'> & { readReplicas: Pick<ReadReplicas, 'read'> }) {
		this.#readReplicas = readReplicas
		this.#options = options
	}

	history(userId: string, query: HistoryQuery): Promise<{ items: Call[], nextCursor: string | undefined }> {
		return this.#read(userId, (calls) => calls.history(userId, query))
	}

	/** Of calls of this user. */
	logs(userId: string, uuids: readonly string[]): Promise<Map<string, CallLogEntry[]>> {
		return this.#read(userId, (calls) => calls.logs(uuids))
	}

	#read<Result>(userId: string, work: (calls: CallRepository) => Promise<Result>): Promise<Result> {
		return this.#readReplicas.read((orm) => work(new CallRepository({ ...this.#options, orm })), userId)
	}
}
