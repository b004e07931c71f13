// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Stands for DOMPurify in the build (`vite.config.ts`). The component library cleans two things with it, both its own: words
 * without any markup, and icons of plain shapes. Those pass; everything else is refused instead of being cleaned, so that
 * nothing gets through here that DOMPurify would have taken out.
 */

const SHAPES = 'svg|g|path|rect|circle|ellipse|line|polyline|polygon|title'
const ATTRIBUTES = 'xmlns|viewBox|width|height|d|x|y|x1|y1|x2|y2|cx|cy|r|rx|ry|points|fill|fill-rule|fill-opacity|clip-rule|stroke|stroke-width|stroke-linecap|stroke-linejoin|stroke-miterlimit|stroke-dasharray|opacity|transform|class|role|aria-hidden|version|id'
/** A shape with its attributes, its end, or a remark; no value can hold a quote, a tag or a reference. */
const TAG = new RegExp(`<!--[^<>]*-->|<(?:/(?:${SHAPES})|(?:${SHAPES})(?:\\s+(?:${ATTRIBUTES})="[^"<>&]*")*\\s*/?)\\s*>`, 'g')

/**
 * @throws {TypeError} for markup that is more than plain shapes
 */
export function sanitize(markup: string): string {
	if (markup.replaceAll(TAG, '').includes('<')) {
		throw new TypeError('Only words and SVG of plain shapes can be shown: see src/services/plain-markup.ts')
	}
	return markup
}

export default { sanitize }
