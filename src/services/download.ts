// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Gives a text to the browser as a file. */
export function saveFile(text: string, type: string, name: string): void {
	const url = URL.createObjectURL(new Blob([text], { type }))
	const link = document.createElement('a')
	link.href = url
	link.download = name
	document.body.append(link)
	link.click()
	link.remove()
	// The browser reads it after the click: the address must live a while longer.
	setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
