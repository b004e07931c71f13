// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Outline icons on a 24 × 24 grid, drawn for this app, as the data of a path; `SvgIcon` shows them. */

const HANDSET = 'M4.9 3.6h3.3l1.9 4.5-2.3 1.7a11.6 11.6 0 0 0 6.4 6.4l1.7-2.3 4.5 1.9v3.3a1.4 1.4 0 0 1-1.5 1.4A16 16 0 0 1 3.5 5.1a1.4 1.4 0 0 1 1.4-1.5z'

/** All strokes as one path. */
export function outline(...strokes: string[]): string {
	return strokes.join(' ')
}

export const iconPhone = outline(HANDSET)

export const iconPhoneRinging = outline(HANDSET, 'M14.2 3.4a6.6 6.6 0 0 1 6.4 6.4', 'M14.2 6.8a3.2 3.2 0 0 1 3 3')

export const iconPhoneOutgoing = outline(HANDSET, 'M14.5 9.5l5.7-5.7', 'M15.6 3.8h4.6v4.6')

export const iconPhoneTalking = outline(HANDSET, 'M13.4 4.2h7', 'M13.4 7.6h7')

export const iconPhonePaused = outline(HANDSET, 'M15.2 3.4v5.4', 'M19 3.4v5.4')

/** The handset laid down. */
export const iconHangUp = outline('M3.2 15.4a1.4 1.4 0 0 1 .1-1.9 12.6 12.6 0 0 1 17.4 0 1.4 1.4 0 0 1 .1 1.9l-1.9 2.1-4-1.7.1-2.5a9.6 9.6 0 0 0-6 0l.1 2.5-4 1.7z')

export const iconOutgoing = outline('M6.5 17.5l11-11', 'M9 6.5h8.5v8.5')

export const iconIncoming = outline('M17.5 6.5l-11 11', 'M6.5 9v8.5h8.5')

/** An incoming arrow that was turned away. */
export const iconMissed = outline('M4 8.5l7 6 9-9.5', 'M4 14.5v-6h6')

export const iconClose = outline('M6 6l12 12', 'M18 6L6 18')

export const iconCopy = outline('M9 8.5h10.5v11.5H9z', 'M5.5 15.5h-1V4h10.5v1')

/** Two sliders. */
export const iconSettings = outline('M4 8h8', 'M18 8h2', 'M15 5.2v5.6', 'M4 16h2', 'M12 16h8', 'M9 13.2v5.6')

/** Three bars. */
export const iconOverview = outline('M4 20h16', 'M7 16v-5', 'M12 16V5', 'M17 16v-8')

/** Two people, the second behind the first. */
export const iconUsers = outline('M9 11.2a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8z', 'M3 19.6a6 6 0 0 1 12 0', 'M16 4.9a3.2 3.2 0 0 1 0 5.8', 'M17.6 14.4a5.6 5.6 0 0 1 3.6 5.2')

/** A shield with a tick in it. */
export const iconPolicy = outline('M12 3.2l7.4 2.7v5.4c0 4.5-3.1 8-7.4 9.5-4.3-1.5-7.4-5-7.4-9.5V5.9z', 'M8.8 12l2.3 2.3 4.2-4.4')

/** A lock. */
export const iconPrivacy = outline('M5.5 11h13v9h-13z', 'M8.5 11V7.5a3.5 3.5 0 0 1 7 0V11')

/** Two boxes and the line between them. */
export const iconConnection = outline('M4 4.2h6.4v6.4H4z', 'M13.6 13.4H20v6.4h-6.4z', 'M7.2 10.6v6h6.4')

/** A pulse. */
export const iconDoctor = outline('M3 12.5h4l2.6-7 4.4 13 2.8-6H21')

export const iconPause = outline('M8.5 5v14', 'M15.5 5v14')

export const iconResume = outline('M7.5 5l11 7-11 7z')

/** Twelve keys. */
export const iconKeypad = outline(...[6, 12, 18].flatMap((y) => [5, 11, 17].map((x) => `M${x} ${y}h2`)))

/** A handset that is handed on. */
export const iconTransfer = outline(HANDSET, 'M13.5 6h7', 'M17.6 3.1L20.5 6l-2.9 2.9')

export const iconNote = outline('M5 4h14v11l-5 5H5z', 'M19 15h-5v5', 'M8.5 8.5h7', 'M8.5 12h4')

export const iconDownload = outline('M12 4v11', 'M7.5 10.8L12 15.3l4.5-4.5', 'M4.5 19.5h15')
