// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The script `number`: fetched when somebody first turns to the number field, since its tables weigh more than that is
// worth to those who only look at their calls.

export { formatTyped, readNumbers } from './tools.ts'
