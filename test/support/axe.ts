// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

import { createRequire } from 'node:module'

const SCRIPT = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
/** In 4.14, of those that belong to WCAG 2.2 AA. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** Whether everything is looked for, or only what colours can get wrong. */
export type Look = 'all' | 'colours'

/**
 * What axe-core finds against WCAG 2.2 AA within the app and its open dialogs; the page around them is Nextcloud's.
 *
 * @return one line for each fault and element
 */
export async function violations(page: Page, look: Look = 'all'): Promise<string[]> {
	if (!await page.evaluate(() => 'axe' in globalThis)) {
		await page.addScriptTag({ path: SCRIPT })
	}
	// What fades in has a colour of its own meanwhile.
	await page.evaluate(() => Promise.allSettled(document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity).map(({ finished }) => finished)))
	return page.evaluate(async (runOnly) => {
		const axe = (globalThis as unknown as { axe: { run: (context: object, options: object) => Promise<AxeResults> } }).axe
		const parts = ['#content-vue', '[role=dialog]', '.v-popper__popper--shown'].filter((selector) => document.querySelector(selector) !== null)
		const { violations: found } = await axe.run({ include: parts.map((selector) => [selector]) }, { runOnly, resultTypes: ['violations'] })
		return found.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message.slice(0, 160) ?? ''}`))
	}, look === 'all' ? { type: 'tag', values: RULES } : { type: 'rule', values: COLOUR_RULES })
}
