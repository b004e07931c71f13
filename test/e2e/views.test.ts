// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every page and state against WCAG 2.2 AA, as far as axe-core can see it, and for what it cannot see.

import type { Page } from 'playwright-core'
import type { Look } from '../support/axe.ts'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violations } from '../support/axe.ts'
import { browserAvailable } from '../support/browser.ts'
import { layoutFaults } from '../support/layout-faults.ts'
import { atRest, PAGE } from '../support/page-test.ts'
import { lookAt, startViewTest, VIEWS } from '../support/views.ts'

interface Sight {
	width: 1280 | 640 | 360 | 320
	/** What axe-core looks for; nothing where only the layout may differ. */
	look?: Look
	theme?: 'dark' | 'high contrast' | 'dark, high contrast'
	isPictured?: true
	direction?: 'rtl'
}

/** Each width, and each theme with what depends on colours; `SIPCALL_SIGHTS=all` looks at every theme in both widths. */
const SIGHTS: Sight[] = process.env.SIPCALL_SIGHTS === 'all'
	? ([1280, 360] as const).flatMap((width): Sight[] => [{ width, look: 'all' }, { width, look: 'colours', theme: 'dark' }, { width, look: 'colours', theme: 'high contrast' }, { width, look: 'colours', theme: 'dark, high contrast' }, { width, direction: 'rtl' }])
	: [
			{ width: 1280, look: 'all', isPictured: true },
			{ width: 1280, look: 'colours', theme: 'dark, high contrast' },
			{ width: 1280, direction: 'rtl' },
			{ width: 640 },
			{ width: 360, look: 'all', theme: 'dark', isPictured: true },
			{ width: 360, look: 'colours', theme: 'high contrast' },
			{ width: 360, direction: 'rtl' },
			{ width: 320 },
		]

/** German has the longest words. */
const LANGUAGE = process.env.SIPCALL_LANGUAGE ?? 'de'

/** Where each view is drawn to (`make pictures`). */
const PICTURES = process.env.SIPCALL_PICTURES

describe.skipIf(!browserAvailable())('axe-core finds nothing', () => {
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		test = await startViewTest()
		page = await test.open('', { language: LANGUAGE })
	})
	afterAll(() => test?.stop())

	it.each(VIEWS)('in $name; nothing is cut, nameless or twice there, whatever the width, the theme and the direction', async (view) => {
		const faults: Record<string, string[]> = {}
		await lookAt({ test, page }, view, async () => {
			for (const { width, look, theme, isPictured, direction = 'ltr' } of SIGHTS) {
				await page.setViewportSize({ width, height: width > 640 ? 800 : 740 })
				await page.emulateMedia({ colorScheme: theme?.startsWith('dark') ? 'dark' : 'light', contrast: theme?.endsWith('contrast') ? 'more' : 'no-preference' })
				await page.evaluate((dir) => {
					document.body.dir = dir
				}, direction)
				await atRest(page)
				const found = [...look === undefined ? [] : await violations(page, look), ...await layoutFaults(page)]
				if (found.length > 0) {
					faults[[`${width} px`, theme ?? 'light', direction].join(', ')] = found
				}
				if (PICTURES !== undefined && isPictured) {
					await page.screenshot({ path: `${PICTURES}/${view.name}${width > 640 ? '' : '-dark-phone'}.png` })
				}
			}
		})
		expect(faults).toEqual({})
	})

	it('unless there is something: a button without a name, in the content and in a dialog', async () => {
		await page.goto(`${test.shell.url}${PAGE}/settings/devices`)
		await page.locator('[data-sip=devices] li').first().waitFor()
		await page.evaluate(() => {
			document.querySelector('#app-content-vue')?.append(document.createElement('button'))
			document.querySelector('[role=dialog] ul')?.before(document.createElement('button'))
		})
		expect((await violations(page)).filter((fault) => fault.startsWith('button-name'))).toHaveLength(2)
	})
})
