// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&apos;' }

/** A text as it stands in XML, between tags or in an attribute's quotes. */
export function escapeXml(text: string): string {
	return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}
