// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EslLinkOptions } from '../../lib/esl/esl-link.ts'

import { EslLink } from '../../lib/esl/esl-link.ts'
import { RecordedLog } from './recorded-log.ts'

/** A link whose steps can be waited for. */
export class WatchedLink {
	readonly steps: string[] = []
	readonly link: EslLink
	readonly log = new RecordedLog()
	/** Attempts that failed and connections that were lost: the link asks for a random number after each. */
	losses = 0
	readonly #waiting = new Set<() => void>()

	constructor(options: Partial<EslLinkOptions> & Pick<EslLinkOptions, 'endpoint'>) {
		this.link = new EslLink({
			logger: this.log,
			probe: 'noevents',
			random: () => {
				this.losses++
				return 0
			},
			...options,
			onUp: () => this.#step('up'),
			onDown: (error) => this.#step(`down: ${error.code}`),
		})
	}

	until(steps: number): Promise<void> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (this.steps.length >= steps) {
					this.#waiting.delete(look)
					resolve()
				}
			}
			this.#waiting.add(look)
			look()
		})
	}

	#step(step: string): void {
		this.steps.push(step)
		this.#waiting.forEach((look) => look())
	}
}
