// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** How a part is, for those who see no difference between colours. */

import { outline } from './icons.ts'

export { iconClose } from './icons.ts'

export const iconTick = outline('M5 12.5l4.6 4.6L19.5 7')

export const iconWarning = outline('M12 4l9 16H3z', 'M12 10v4.5', 'M12 17.2v.1')

/** A circle with nothing in it. */
export const iconNotSetUp = outline('M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z')
