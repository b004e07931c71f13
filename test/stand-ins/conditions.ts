// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Waiting without polling: what is waited for is looked at whenever something has happened. */
export class Conditions {
	readonly #looks = new Set<() => void>()

	/** Something has happened. */
	look(): void {
		this.#looks.forEach((look) => look())
	}

	/** Resolves once the condition holds. */
	until(condition: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (condition()) {
					this.#looks.delete(look)
					resolve()
				}
			}
			this.#looks.add(look)
			look()
		})
	}
}
