// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Plugin } from 'vite'

import vue from '@vitejs/plugin-vue'
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vite'
import { z } from 'zod'

const LANGUAGES = new Set(['en', 'en_GB', 'de', 'de_DE', 'fr'])

const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')))

/**
 * The component library carries its own words in some 70 languages, all of them in one chunk of many lists
 * `[{ l: 'ar', t: {…} }, …]`. The page speaks the languages above; the others would only make every visit slower.
 */
function onlyOurLanguages(): Plugin {
	return {
		name: 'sipcall:only-our-languages',
		transform(code, id) {
			if (!/@nextcloud\/vue\/dist\/chunks\/_l10n\.mjs$/.test(id)) {
				return null
			}
			const cut: { start: number, end: number }[] = []
			for (const statement of this.parse(code).body) {
				const list = statement.type === 'VariableDeclaration' ? statement.declarations[0]?.init : undefined
				for (const entry of list?.type === 'ArrayExpression' ? list.elements : []) {
					if (entry !== null && !LANGUAGES.has(languageOf(code.slice(entry.start, entry.end)))) {
						cut.push(entry)
					}
				}
			}
			if (cut.length === 0) {
				this.error('@nextcloud/vue stores its translations in another form now: adapt onlyOurLanguages()')
			}
			// A hole in the list would be undefined, an empty bundle is skipped: so each one cut out leaves an empty one.
			const kept = cut.reduceRight((text, { start, end }) => `${text.slice(0, start)}{}${text.slice(end)}`, code)
			return { code: kept, map: null }
		},
	}
}

function languageOf(entry: string): string {
	return /^\{\s*"?l"?:\s*"([\w-]+)"/.exec(entry)?.[1]?.replace('-', '_') ?? ''
}

/**
 * One classic script and one stylesheet with fixed names: AppAPI writes the script tag itself, without
 * `type="module"`, and asks for exactly the paths that were registered. No source map in production: an undeclared
 * path counts against the visitor's address at HaRP.
 */
export default defineConfig(({ mode }) => ({
	plugins: [vue(), onlyOurLanguages()],
	publicDir: false,
	define: {
		appName: JSON.stringify('sipcall'),
		appVersion: JSON.stringify(version),
		__VUE_OPTIONS_API__: 'true',
		__VUE_PROD_DEVTOOLS__: 'false',
		__VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
	},
	build: {
		target: 'es2022',
		outDir: 'ex_app',
		emptyOutDir: false,
		sourcemap: mode === 'development' ? 'inline' : false,
		cssCodeSplit: false,
		assetsInlineLimit: 100_000,
		chunkSizeWarningLimit: 700,
		rolldownOptions: {
			input: 'src/main.ts',
			output: {
				format: 'iife',
				name: 'sipcall',
				entryFileNames: 'js/sipcall-main.js',
				assetFileNames: 'css/sipcall-main[extname]',
			},
		},
	},
}))
