// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The doctor's findings in the user's language, by their codes. English is what the server sends. */

import { de } from '../l10n/findings-de.ts'
import { fr } from '../l10n/findings-fr.ts'
import { baseLanguage } from './l10n.ts'

/** Text and advice by the finding's code; `{name}` stands for one of its values. */
export type FindingTranslations = Readonly<Record<string, readonly [text: string, advice?: string]>>

const LANGUAGES: Readonly<Record<string, FindingTranslations>> = { de, fr }

/** What the server says of a part or a step. */
export interface Found {
	code?: string | undefined
	text?: string | undefined
	advice?: string | undefined
	values?: Readonly<Record<string, string | number>> | undefined
}

/** @return the sentences in the user's language, or as the server sent them */
export function findingWords({ code = '', text = '', advice, values = {} }: Found): { text: string, advice: string | undefined } {
	const [words, more] = LANGUAGES[baseLanguage()]?.[code] ?? [text, advice]
	const filled = (sentence: string) => sentence.replaceAll(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole))
	return { text: filled(words), advice: more === undefined ? undefined : filled(more) }
}
