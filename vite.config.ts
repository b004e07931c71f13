// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Plugin, UserConfig } from 'vite'

import vue from '@vitejs/plugin-vue'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { defineConfig } from 'vite'
import { z } from 'zod'
import { classicScripts } from './scripts/classic-scripts.ts'

const LANGUAGES = new Set(['en', 'en_GB', 'de', 'de_DE', 'fr'])

/** What each file may weigh in kB, packed as web servers pack it. Who adds something sees here what it costs. */
const BUDGETS_KB: Readonly<Record<string, number>> = {
	'js/sipcall-main.js': 185,
	'js/sipcall-number.js': 36,
	'js/sipcall-manage.js': 110,
	'js/sipcall-charts.js': 62,
	'css/sipcall-main.css': 20,
}

const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')))

/**
 * The component library carries its own words in some 70 languages, all of them in one chunk of many lists
 * `[{ l: 'ar', t: {…} }, …]`. The page speaks the languages above; the others would only make every visit slower.
 */
function onlyOurLanguages(): Plugin {
	return {
		name: 'sipcall:only-our-languages',
		transform: {
			filter: { id: /@nextcloud\/vue\/dist\/chunks\/_l10n\.mjs$/ },
			handler(code) {
				const kept: string[] = []
				let from = 0
				for (const statement of this.parse(code).body) {
					const list = statement.type === 'VariableDeclaration' ? statement.declarations[0]?.init : undefined
					for (const entry of list?.type === 'ArrayExpression' ? list.elements : []) {
						if (entry !== null && !LANGUAGES.has(languageOf(code.slice(entry.start, entry.end)))) {
							kept.push(code.slice(from, entry.start))
							from = entry.end
						}
					}
				}
				if (kept.length === 0) {
					this.error('@nextcloud/vue stores its translations in another form now: adapt onlyOurLanguages()')
				}
				// A hole in the list would be undefined, an empty bundle is skipped: so each one cut out leaves an empty one.
				return { code: [...kept, code.slice(from)].join('{}'), map: null }
			},
		},
	}
}

function languageOf(entry: string): string {
	return /^\{\s*"?l"?:\s*"([\w-]+)"/.exec(entry)?.[1]?.replace('-', '_') ?? ''
}

/** What parts of the component library import for features that no view of ours turns on; 16 kB together. */
const NOT_USED: Readonly<Record<string, readonly string[]>> = {
	// NcAppSidebar: links in the title.
	linkifyjs: ['Options', 'tokenize'],
	// NcAppContent: a list beside the content.
	splitpanes: ['Splitpanes', 'Pane'],
}

/** Leaves those out. Who comes to need one is told so by the console, and takes it off the list. */
function withoutUnused(): Plugin {
	const PREFIX = '\0sipcall:not-used:'
	return {
		name: 'sipcall:without-unused',
		enforce: 'pre',
		resolveId: (id) => Object.hasOwn(NOT_USED, id) ? PREFIX + id : undefined,
		load(id) {
			const name = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : undefined
			return name === undefined ? undefined : (NOT_USED[name] ?? []).map((exported) => `export function ${exported}() { throw new Error('${name} is left out of the build (vite.config.ts)') }`).join('\n')
		},
	}
}

/** Fails a production build whose files weigh more than they may. */
function withinBudget(): Plugin {
	return {
		name: 'sipcall:within-budget',
		writeBundle({ dir = '' }, bundle) {
			for (const name of Object.keys(bundle)) {
				const budget = BUDGETS_KB[name]
				const kB = gzipSync(readFileSync(path.join(dir, name)), { level: 9 }).length / 1000
				if (budget === undefined || kB > budget) {
					this.error(`${name} weighs ${kB.toFixed(1)} kB; ${budget === undefined ? 'it has no budget' : `it may weigh ${budget} kB`} (vite.config.ts)`)
				}
			}
		},
	}
}

/**
 * Classic scripts with fixed names: AppAPI writes the tag of the first itself, and asks for exactly the paths that were
 * registered. No source map in production: an undeclared path counts against the visitor's address at HaRP.
 */
export default defineConfig(({ mode }): UserConfig => ({
	plugins: [vue(), onlyOurLanguages(), withoutUnused(), classicScripts(), ...(mode === 'development' ? [] : [withinBudget()])],
	publicDir: false,
	// The same library without what browsers of before 2022 needed.
	resolve: { alias: [
		{ find: /^\.\.\/es6\//, replacement: '../es6-modern/' },
		// 11 kB that clean what the component library itself brings: plain words, and icons of plain shapes.
		{ find: /^dompurify$/, replacement: fileURLToPath(new URL('src/services/plain-markup.ts', import.meta.url)) },
	] },
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
		modulePreload: false,
		assetsInlineLimit: 100_000,
		chunkSizeWarningLimit: 800,
		rolldownOptions: {
			input: { main: 'src/main.ts' },
			output: {
				format: 'es',
				entryFileNames: 'js/sipcall-[name].js',
				chunkFileNames: ({ facadeModuleId }) => `js/sipcall-${path.basename(path.dirname(facadeModuleId ?? 'none'))}.js`,
				assetFileNames: 'css/sipcall-main[extname]',
			},
		},
	},
}))
