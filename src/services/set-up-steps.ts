// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What an administrator does before anybody can call, in order, and how far that is. */

import type { Metrics } from './admin-api.ts'
import type { AdminPage } from './routes.ts'

import { findingWords } from './finding-words.ts'
import { t } from './l10n.ts'

export interface SetUpStep {
	id: 'switch' | 'trunk' | 'rules' | 'test'
	name: string
	isDone: boolean
	/** The first that is not done. */
	isNext: boolean
	/** What is missing, and what to do. */
	text: string
	page: AdminPage
	action: string
}

/** A step is done when the server has seen that it works, not when something was typed. */
export function setUpSteps({ health, hasCalled }: Pick<Metrics, 'health' | 'hasCalled'>): SetUpStep[] {
	const of = (id: string) => health.filter((part) => part.id === id)
	// A gateway that nobody watches may work: the test call tells.
	const isUsable = ({ state, code }: Metrics['health'][number]) => state === 'ok' || code === 'gateway_unwatched'
	const said = (id: string) => {
		const found = of(id).find(({ state }) => state !== 'ok')
		const { text, advice } = found === undefined ? { text: '', advice: '' } : findingWords(found)
		return [text, advice].filter(Boolean).join(' ')
	}
	const steps = [
		{ id: 'switch', name: t('1. Connect FreeSWITCH'), isDone: of('freeswitch').some(isUsable), text: said('freeswitch'), page: 'connection', action: t('Open connection') },
		{ id: 'trunk', name: t('2. Choose the trunk'), isDone: of('gateway').some(isUsable), text: said('gateway'), page: 'connection', action: t('Open connection') },
		{ id: 'rules', name: t('3. Allow calling'), isDone: of('calling').some(isUsable), text: said('calling'), page: 'policy', action: t('Open policy') },
		{ id: 'test', name: t('4. Make a test call'), isDone: hasCalled, text: t('The doctor rings one of your phones and plays back what is said.'), page: 'doctor', action: t('Open Doctor') },
	] as const
	const next = steps.find(({ isDone }) => !isDone)
	return steps.map((step) => ({ ...step, isNext: step === next }))
}
