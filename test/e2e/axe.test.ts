// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every view and dialog against WCAG 2.2 AA, as far as axe-core can see it.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violations } from '../support/axe.ts'
import { browserAvailable } from '../support/browser.ts'
import { PAGE } from '../support/page-test.ts'
import { atRest, lookAt, startViewTest, VIEWS } from '../support/views.ts'

/** What depends on colours alone is looked at in every theme, all the rest in one. */
const SIGHTS = [1280, 360].flatMap((width) => [
	{ name: 'light', width, look: 'all', media: { colorScheme: 'light', contrast: 'no-preference' }, isPictured: width > 640 },
	{ name: 'dark', width, look: 'colours', media: { colorScheme: 'dark', contrast: 'no-preference' }, isPictured: width <= 640 },
	{ name: 'light, high contrast', width, look: 'colours', media: { colorScheme: 'light', contrast: 'more' }, isPictured: false },
	{ name: 'dark, high contrast', width, look: 'colours', media: { colorScheme: 'dark', contrast: 'more' }, isPictured: false },
] as const)

/** Where each view is drawn to (`make pictures`). */
const PICTURES = process.env.SIPCALL_PICTURES

describe.skipIf(!browserAvailable())('axe-core finds nothing', () => {
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		test = await startViewTest()
		page = await test.open()
	})
	afterAll(() => test?.stop())

	it.each(VIEWS)('in $name, at 1280 and 360 px, light, dark and with high contrast', async (view) => {
		const faults: Record<string, string[]> = {}
		await lookAt({ test, page }, view, async () => {
			for (const { name, width, look, media, isPictured } of SIGHTS) {
				await page.setViewportSize({ width, height: width > 640 ? 800 : 740 })
				await page.emulateMedia(media)
				await atRest(page)
				const found = await violations(page, look)
				if (found.length > 0) {
					faults[`${name}, ${width} px`] = found
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
