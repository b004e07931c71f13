// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What every part is put together from.

import type { Clock } from './calls/ports.ts'
import type { Config } from './config.ts'
import type { Backups } from './db/backup/backups.ts'
import type { Guards } from './guard.ts'
import type { Monitoring } from './health/monitoring.ts'
import type { RequestLimits } from './http/middlewares/request-limit.ts'
import type { Logger } from './logger.ts'
import type { AddressBooks } from './nextcloud/address-books.ts'
import type { OcsClient } from './nextcloud/ocs-client.ts'
import type { UserDirectory } from './nextcloud/user-directory.ts'
import type { Progress } from './progress.ts'

/** What tests replace. */
export interface AppOverrides {
	clock?: Clock
	/** Times of the switch's connections and of the sweep, shorter than a network needs. */
	esl?: { silenceMs?: number, commandTimeoutMs?: number }
	sweepMs?: number
	requestLimits?: RequestLimits
	/** How often calls that are due are masked and deleted. */
	retentionMs?: number
	/** The waits of a change of the encryption key. */
	rotation?: { pauseMs?: number, waitMs?: number }
	/** The times by which replicas notice each other. */
	replicas?: { tickMs?: number, silentMs?: number }
	/** How often read replicas are looked at, how late they may be, and how long an answer may take. */
	readReplicas?: { lookMs?: number, mostLagMs?: number, silentMs?: number }
	/** How often costs that are due are asked for. */
	costsMs?: number
	/** How long the switch is left alone after a hold or an answer. */
	settleMs?: number
	/** Of event streams. */
	pingMs?: number
	/** How long a part may take, and how long what was found serves. */
	health?: { limitMs?: number, freshMs?: number }
}

/** What is there before any other part: the way to Nextcloud. */
export interface Base {
	config: Config
	logger: Logger
	clock: Clock
	overrides: AppOverrides
	ocs: OcsClient
	/** What stands before each part that may fail. */
	guards: Guards
	users: UserDirectory
	addressBooks: AddressBooks
	progress: Progress
	backups: Backups
	monitoring: Monitoring
}
