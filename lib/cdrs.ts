// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Call records of FreeSWITCH, and ends that come after their call: how they get into the books.

import type { CallTracker } from './calls/call-tracker.ts'
import type { CdrResult } from './calls/cdr-intake.ts'
import type { LegRecord } from './calls/leg-record.ts'
import type { CallStore, Clock } from './calls/ports.ts'
import type { ExplainFailure } from './calls/trunk-provider.ts'
import type { Monitoring } from './health/monitoring.ts'
import type { Logger } from './logger.ts'

import { CdrIntake } from './calls/cdr-intake.ts'
import { storageFault } from './db/storage-fault.ts'
import { SipCallError } from './errors.ts'
import { cdrFiles } from './esl/cdr-files.ts'
import { parseCdr } from './esl/cdr-parser.ts'

/** What became of one file. */
export interface ImportedCdr {
	name: string
	/** Undefined when it is no call record that can be read. */
	result: CdrResult | undefined
}

export interface Cdrs {
	/** Undefined when it is no call record. */
	take: (body: Buffer) => Promise<CdrResult | undefined>
	/** All records of a folder, each as soon as it is stored. */
	importFolder: (folder: string) => AsyncGenerator<ImportedCdr>
	/** An event that came after its call was over. */
	late: (notice: LegRecord & { callUuid?: string }) => void
}

export interface CdrsOptions {
	store: CallStore
	tracker: CallTracker
	monitoring: Monitoring
	explainFailure: ExplainFailure
	clock: Clock
	logger: Logger
}

export function startCdrs({ store, tracker, monitoring, explainFailure, clock, logger }: CdrsOptions): Cdrs {
	const intake = new CdrIntake({
		store,
		tracker,
		onCorrected: (call, before) => {
			logger.info('How a call ended was told anew', { callUuid: call.uuid, outcome: call.outcome })
			monitoring.priced(call, before)
		},
	})
	const take = async (body: Buffer) => {
		const record = parseCdr(body, clock.now(), explainFailure)
		try {
			return record === undefined ? undefined : await intake.take(record)
		} catch (error) {
			throw error instanceof SipCallError ? error : storageFault(error) ?? error
		}
	}
	return {
		take,
		importFolder: async function* (folder) {
			for await (const { name, body } of cdrFiles(folder)) {
				yield { name, result: body === undefined ? undefined : await take(body) }
			}
		},
		late: (notice) => {
			intake.take(notice).catch((error: unknown) => {
				logger[storageFault(error) === undefined ? 'error' : 'warn']('A leg’s late end could not be stored', { callUuid: notice.callUuid, error })
			})
		},
	}
}
