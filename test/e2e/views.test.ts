// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every page and state against WCAG 2.2 AA, as far as axe-core can see it, and for what it cannot see.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'
import type { Sight } from '../support/view-walk.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violations } from '../support/axe.ts'
import { browserAvailable } from '../support/browser.ts'
import { PAGE } from '../support/page-test.ts'
import { faultsOf } from '../support/view-walk.ts'
import { startViewTest, VIEWS } from '../support/views.ts'

/** What depends on colours alone is looked at in every theme, all the rest in one for each width. */
const SIGHTS: Sight[] = [
	{ width: 1280, look: 'all', picture: '' },
	{ width: 1280, look: 'colours', theme: 'dark' },
	{ width: 1280, look: 'colours', theme: 'high contrast' },
	{ width: 1280, look: 'colours', theme: 'dark, high contrast' },
	{ width: 640 },
	{ width: 360, look: 'all' },
	{ width: 360, look: 'colours', theme: 'dark', picture: '-dark-phone' },
	{ width: 360, look: 'colours', theme: 'high contrast' },
	{ width: 360, look: 'colours', theme: 'dark, high contrast' },
	{ width: 320 },
]

describe.skipIf(!browserAvailable())('axe-core finds nothing', () => {
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		test = await startViewTest()
		// German has the longest words.
		page = await test.open('', { language: process.env.SIPCALL_LANGUAGE ?? 'de' })
	})
	afterAll(() => test?.stop())

	it.each(VIEWS)('in $name; nothing is cut, nameless or twice there, whatever the width and the theme', async (view) => {
		expect(await faultsOf({ test, page }, view, SIGHTS, process.env.SIPCALL_PICTURES)).toEqual({})
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
