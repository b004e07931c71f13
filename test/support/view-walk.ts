// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Page } from 'playwright-core'
import type { Look } from './axe.ts'
import type { View, Visit } from './views.ts'

import { violations } from './axe.ts'
import { layoutFaults } from './layout-faults.ts'
import { atRest } from './page-test.ts'
import { lookAt } from './views.ts'

/** One way to see a view. */
export interface Sight {
	width: 1280 | 640 | 360 | 320
	/** What axe-core looks for; nothing where only the layout may differ. Where only colours may differ, the layout is not looked at again. */
	look?: Look
	theme?: 'dark' | 'high contrast' | 'dark, high contrast'
	direction?: 'rtl'
	/** Of the picture, where one is wanted. */
	picture?: string
}

/**
 * Looks at a view in every way that is asked for.
 *
 * @param pictures the folder that the sights with a picture are drawn into
 * @return what was found, by sight; what axe-core finds against WCAG 2.2 AA, and what it cannot see
 */
export async function faultsOf(visit: Visit, view: View, sights: readonly Sight[], pictures?: string): Promise<Record<string, string[]>> {
	const { page } = visit
	const faults: Record<string, string[]> = {}
	await lookAt(visit, view, async () => {
		for (const sight of sights) {
			await show(page, sight)
			const found = [...sight.look === undefined ? [] : await violations(page, sight.look), ...sight.look === 'colours' ? [] : await layoutFaults(page)]
			if (found.length > 0) {
				faults[[`${sight.width} px`, sight.theme ?? 'light', sight.direction ?? 'ltr'].join(', ')] = found
			}
			if (pictures !== undefined && sight.picture !== undefined) {
				await page.screenshot({ path: `${pictures}/${view.name}${sight.picture}.png` })
			}
		}
	})
	return faults
}

async function show(page: Page, { width, theme, direction }: Sight): Promise<void> {
	await page.setViewportSize({ width, height: width > 640 ? 800 : 740 })
	await page.emulateMedia({ colorScheme: theme?.startsWith('dark') ? 'dark' : 'light', contrast: theme?.endsWith('contrast') ? 'more' : 'no-preference' })
	await page.evaluate((dir) => {
		document.body.dir = dir
	}, direction ?? 'ltr')
	await atRest(page)
}
