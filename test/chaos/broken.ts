// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Runs the suite against each broken build until it is caught: by which promise, after how many runs.

import process from 'node:process'
import { breakBuild, BREAKS } from './builds.ts'
import { runSuite } from './suite.ts'

const first = Number(process.env.SEED ?? 1)
const most = Number(process.env.RUNS ?? 60)
const lanes = Number(process.env.LANES ?? 2)
const chosen = process.env.BREAK

let isMissed = false
for (const broken of BREAKS.filter(({ name }) => chosen === undefined || name.includes(chosen))) {
	const build = await breakBuild(broken)
	try {
		let runs = 0
		let caught: string | undefined
		await runSuite({
			root: build.root,
			seeds: Array.from({ length: most }, (_, index) => first + index),
			lanes,
			mayGoOn: () => caught === undefined,
			onRun: ({ seed, broken: [found] }) => {
				runs++
				caught ??= found === undefined ? undefined : `seed ${seed}, after ${runs} runs: ${found.promise}: ${found.what}`
			},
		})
		isMissed ||= caught === undefined
		process.stdout.write(`${broken.name}\n  ${caught === undefined ? `NOT CAUGHT in ${runs} runs` : `caught by ${caught}`}\n`)
	} finally {
		await build.remove()
	}
}
process.exit(isMissed ? 1 : 0)
