// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The edge of the process: environment, start, signals, exit codes. No logic.

import type { RunningApp } from './app.ts'
import type { Config } from './config.ts'

import process from 'node:process'
import { startApp } from './app.ts'
import { ConfigError, loadConfig } from './config.ts'
import { createLogger } from './logger.ts'

/** `EX_CONFIG` of sysexits.h: a person must change the environment first. */
const EXIT_CONFIG = 78
const EXIT_FAILURE = 1
const STOP_LIMIT_MS = 8_000

function readEnvironment(): Config {
	try {
		return loadConfig(process.env)
	} catch (error) {
		if (error instanceof ConfigError) {
			process.stderr.write(`${error.message}\n`)
			process.exit(EXIT_CONFIG)
		}
		throw error
	}
}

const config = readEnvironment()
const logger = createLogger({ level: config.logLevel, pretty: config.logPretty })

let isStopping = false

async function stop(signal: string): Promise<void> {
	if (isStopping) {
		return
	}
	isStopping = true
	logger.info('Stopping; live calls go on', { signal })
	setTimeout(() => process.exit(EXIT_FAILURE), STOP_LIMIT_MS).unref()
	const app = await starting.catch(() => undefined)
	await app?.stop()
	process.exit(process.exitCode ?? 0)
}

process.on('SIGTERM', () => void stop('SIGTERM'))
process.on('SIGINT', () => void stop('SIGINT'))
process.on('unhandledRejection', (error) => logger.error('A promise was left unhandled: a fault in SIPCall', { error }))
process.on('uncaughtException', (error) => {
	logger.error('An exception reached the edge of the process: a fault in SIPCall', { error })
	// The state of whoever threw is unknown. A fresh start finds every call again, from the database and the switch.
	process.exitCode = EXIT_FAILURE
	void stop('uncaughtException')
})

const starting: Promise<RunningApp> = startApp(config, logger)
try {
	const app = await starting
	await app.ready
	logger.info('SIPCall is up', { version: config.appVersion })
} catch (error) {
	// Without a port there is nobody who could ask what is wrong.
	logger.error('SIPCall cannot listen', { error })
	process.exit(EXIT_FAILURE)
}
