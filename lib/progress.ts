// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** How far the start is, for whoever wants to show it. */
export class Progress {
	readonly #listeners = new Set<(percent: number) => void>()

	/**
	 * @param percent 1 … 99: whether it is done is told otherwise
	 */
	report(percent: number): void {
		for (const listener of this.#listeners) {
			listener(percent)
		}
	}

	/**
	 * @return ends the subscription
	 */
	subscribe(listener: (percent: number) => void): () => void {
		this.#listeners.add(listener)
		return () => this.#listeners.delete(listener)
	}
}
