// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Every page and state from right to left, in another language than the other walk.

import type { Page } from 'playwright-core'
import type { PageTest } from '../support/page-test.ts'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserAvailable } from '../support/browser.ts'
import { faultsOf } from '../support/view-walk.ts'
import { startViewTest, VIEWS } from '../support/views.ts'

describe.skipIf(!browserAvailable())('in French, from right to left', () => {
	let test: PageTest
	let page: Page
	beforeAll(async () => {
		test = await startViewTest()
		page = await test.open('', { language: 'fr', direction: 'rtl' })
	})
	afterAll(() => test?.stop())

	it.each(VIEWS)('$name: nothing is cut, nameless or twice there', async (view) => {
		expect(await faultsOf({ test, page }, view, [{ width: 1280, direction: 'rtl' }, { width: 360, direction: 'rtl' }])).toEqual({})
	})
})
