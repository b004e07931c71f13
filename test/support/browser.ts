// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Browser } from 'playwright-core'

import { accessSync, constants } from 'node:fs'
import { chromium } from 'playwright-core'

/** Chromium without its windows draws a page in half the time; where it is missing, the whole browser is as good. */
const PROGRAMS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']

/** The system's own Chromium: nothing is downloaded for the tests. */
function executablePath(): string {
	return process.env.CHROMIUM_PATH || (PROGRAMS.find(isExecutable) ?? '/usr/bin/chromium')
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK)
		return true
	} catch {
		return false
	}
}

/** For `describe.skipIf`: a machine without a browser skips the tests that need one. */
export function browserAvailable(): boolean {
	return isExecutable(executablePath())
}

/** A headless Chromium that talks to nobody but the page under test. Whoever starts it closes it. */
export function launchBrowser(): Promise<Browser> {
	return chromium.launch({
		executablePath: executablePath(),
		args: [
			// Chromium's sandbox refuses to run as root, as tests do in a container.
			...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
			'--no-first-run',
			'--disable-gpu',
		],
	})
}

let shared: Promise<Browser> | undefined

/** One for all test files of a worker, which it ends with: what a test opens, it opens in a profile of its own. */
export async function sharedBrowser(): Promise<Browser> {
	if (shared !== undefined && !(await shared).isConnected()) {
		shared = undefined
	}
	shared ??= launchBrowser()
	return shared
}
