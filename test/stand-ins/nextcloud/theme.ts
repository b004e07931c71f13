// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The part of Nextcloud's look that an app builds on: its CSS variables in its four themes, the header and the frame. The
 * blur is that of a Chromium which is not on a Mac: none, for the processor would have to do it (`$workingBlur` of Nextcloud's
 * apps/theming/lib/Themes/DefaultTheme.php).
 */

const shape = `
	--default-font-size: 15px;
	--font-face: system-ui, -apple-system, 'Segoe UI', Roboto, Oxygen-Sans, Cantarell, Ubuntu, 'Noto Sans', 'Liberation Sans', 'DejaVu Sans', Arial, sans-serif;
	--default-line-height: 1.5;
	--default-grid-baseline: 4px;
	--default-clickable-area: 34px;
	--clickable-area-large: 48px;
	--clickable-area-small: 24px;
	--border-radius: 4px;
	--border-radius-small: 4px;
	--border-radius-element: 8px;
	--border-radius-large: 10px;
	--border-radius-container: 12px;
	--border-radius-rounded: 28px;
	--border-radius-pill: 100px;
	--border-width-input: 1px;
	--border-width-input-focused: 2px;
	--animation-quick: 100ms;
	--animation-slow: 300ms;
	--header-height: 50px;
	--navigation-width: 300px;
	--app-navigation-padding: 8px;
	--body-container-margin: 8px;
	--body-container-radius: 12px;
	--body-height: calc(100% - env(safe-area-inset-bottom) - var(--header-height) - var(--body-container-margin));
	--filter-background-blur: none;
	--color-background-plain: #00679e;
	--color-background-plain-text: #ffffff;
	--color-primary: #00679e;
	--color-primary-text: #ffffff;
	--color-primary-element: #00679e;
	--color-primary-element-hover: #005a8a;
	--color-primary-element-text: #ffffff;`

const light = `
	--color-main-background: #ffffff;
	--color-main-background-rgb: 255, 255, 255;
	--color-main-background-blur: rgba(255, 255, 255, .8);
	--color-main-text: #222222;
	--color-text-maxcontrast: #6b6b6b;
	--color-background-hover: #f5f5f5;
	--color-background-dark: #ededed;
	--color-background-darker: #dbdbdb;
	--color-border: #ededed;
	--color-border-dark: #dbdbdb;
	--color-border-maxcontrast: #7d7d7d;
	--color-loading-light: #cccccc;
	--color-loading-dark: #444444;
	--color-primary-element-light: #e5eff5;
	--color-primary-element-light-hover: #dbe4ea;
	--color-primary-element-light-text: #00293f;
	--color-error: #ffe7e7;
	--color-error-hover: #ffd6d6;
	--color-error-text: #8a0000;
	--color-warning: #ffeec5;
	--color-warning-hover: #ffe4a0;
	--color-warning-text: #664700;
	--color-success: #d8f3da;
	--color-success-hover: #c4ebc7;
	--color-success-text: #005416;
	--color-info: #d5f1fa;
	--color-info-hover: #bfe9f7;
	--color-info-text: #0066ac;
	--color-element-error: #c90000;
	--color-element-warning: #bf7900;
	--color-element-success: #099f05;
	--color-element-info: #0077c7;
	--color-border-error: var(--color-element-error);
	--color-border-success: var(--color-element-success);
	--color-text-error: #c90000;
	--color-text-success: #006d0b;`

const dark = `
	--color-main-background: #171717;
	--color-main-background-rgb: 23, 23, 23;
	--color-main-background-blur: rgba(23, 23, 23, .85);
	--color-main-text: #ebebeb;
	--color-text-maxcontrast: #999999;
	--color-background-hover: #212121;
	--color-background-dark: #292929;
	--color-background-darker: #3b3b3b;
	--color-border: #292929;
	--color-border-dark: #3b3b3b;
	--color-border-maxcontrast: #7d7d7d;
	--color-loading-light: #777777;
	--color-loading-dark: #cccccc;
	--color-primary-element: #0091dd;
	--color-primary-element-hover: #279fe0;
	--color-primary-element-text: #000000;
	--color-primary-element-light: #14232c;
	--color-primary-element-light-hover: #1c2b34;
	--color-primary-element-light-text: #99d3f1;
	--color-error: #552121;
	--color-error-hover: #6a2a2a;
	--color-error-text: #ffcccc;
	--color-warning: #3d3010;
	--color-warning-hover: #4e3d15;
	--color-warning-text: #ffeec5;
	--color-success: #11321a;
	--color-success-hover: #184424;
	--color-success-text: #d5f2dc;
	--color-info: #003553;
	--color-info-hover: #00456c;
	--color-info-text: #00aeff;
	--color-element-error: #ff5252;
	--color-element-warning: #ffcc00;
	--color-element-success: #11a73a;
	--color-element-info: #0091dd;
	--color-border-error: var(--color-element-error);
	--color-border-success: var(--color-element-success);
	--color-text-error: #ff8080;
	--color-text-success: #6fd488;`

const lightHighContrast = `
	--color-main-background-blur: #ffffff;
	--color-main-text: #000000;
	--color-text-maxcontrast: #000000;
	--color-background-dark: #cccccc;
	--color-background-darker: #cccccc;
	--color-border: #808080;
	--color-border-dark: #808080;
	--color-border-maxcontrast: #707070;
	--color-loading-light: #dddddd;
	--color-loading-dark: #000000;
	--color-error: #ffb3b3;
	--color-error-hover: #ff9999;
	--color-error-text: #4d0000;
	--color-warning: #ffd888;
	--color-warning-hover: #ffca5f;
	--color-warning-text: #3c2800;
	--color-success: #c4edce;
	--color-success-hover: #a5e3b4;
	--color-success-text: #123a1c;
	--color-info: #6bceff;
	--color-info-hover: #42c0ff;
	--color-info-text: #00141f;
	--color-element-error: #b30000;
	--color-element-warning: #885b00;
	--color-element-success: #247538;
	--color-element-info: #00476b;
	--color-text-error: #660000;
	--color-text-success: #123a1c;`

const darkHighContrast = `
	--color-main-background: #000000;
	--color-main-background-rgb: 0, 0, 0;
	--color-main-background-blur: #000000;
	--color-main-text: #ffffff;
	--color-text-maxcontrast: #ffffff;
	--color-background-dark: #333333;
	--color-background-darker: #333333;
	--color-border: #808080;
	--color-border-dark: #808080;
	--color-border-maxcontrast: #8c8c8c;
	--color-loading-light: #000000;
	--color-loading-dark: #dddddd;
	--color-error: #750000;
	--color-error-hover: #890000;
	--color-error-text: #ffdbdb;
	--color-warning: #423800;
	--color-warning-hover: #5b4d00;
	--color-warning-text: #ffee8e;
	--color-success: #1a4020;
	--color-success-hover: #215229;
	--color-success-text: #d2edd6;
	--color-info: #004875;
	--color-info-hover: #00588e;
	--color-info-text: #a8ddff;
	--color-element-error: #ff0f0f;
	--color-element-warning: #dbba00;
	--color-element-success: #46ad56;
	--color-element-info: #0fa3ff;
	--color-text-error: #ffc1c1;
	--color-text-success: #c0e5c6;`

export const themeCss = `
:root {${shape}${light}
}
@media (prefers-color-scheme: dark) {
	:root {${dark}
	}
}
@media (prefers-contrast: more) {
	:root {${lightHighContrast}
	}
}
@media (prefers-color-scheme: dark) and (prefers-contrast: more) {
	:root {${darkHighContrast}
	}
}
@media only screen and (max-width: 1024px) {
	:root { --body-container-margin: 0px; --body-container-radius: 0px; }
}
html, body { block-size: 100%; margin: 0; }
a { color: inherit; text-decoration: none; }
body {
	background-color: var(--color-background-plain);
	background-image: linear-gradient(130deg, #00679e 10%, #0a8fdc 60%, #00679e);
	background-attachment: fixed;
	color: var(--color-main-text);
	font: normal var(--default-font-size)/var(--default-line-height) var(--font-face);
}
p, ul, ol, dl, dt, dd, fieldset, legend, table, caption, tbody, thead, tr, th, td, h1, h2, h3, h4, h5, h6, figure, form, label, code, em { margin: 0; padding: 0; border: 0; font-size: 100%; font-weight: inherit; vertical-align: baseline; }
ul { list-style: none; }
/* What Nextcloud's server.css makes of elements without a class, and an app has to undo where it wants something else. */
h2, h3, h4, h5, h6 { margin-block: 24px 12px; font-weight: 600; line-height: 1.5; color: var(--color-main-text); }
h2 { font-size: 1.8em; }
h3 { font-size: 1.6em; }
h4 { font-size: 1.4em; }
h5 { font-size: 1.25em; }
h6 { font-size: 1.1em; }
em { font-style: normal; color: var(--color-text-maxcontrast); }
table { border-collapse: separate; border-spacing: 0; white-space: nowrap; }
table, th, td { vertical-align: middle; }
caption, th, td { font-weight: normal; text-align: start; }
dl { padding-block: 12px; }
dt, dd { display: inline-block; padding-block: 12px; padding-inline: 0 12px; }
dt { inline-size: 130px; text-align: end; white-space: nowrap; }
kbd { display: inline-block; padding: 4px 10px; border: 1px solid #ccc; border-radius: var(--border-radius); white-space: nowrap; }
button, select, input { font: inherit; color: inherit; }
.hidden-visually { position: absolute; inset-inline-start: -10000px; inline-size: 1px; block-size: 1px; overflow: hidden; }
#skip-actions { position: absolute; inset-block-start: -999px; z-index: 9999; padding: 11px; }
#header {
	position: fixed; inset-block-start: 0; inset-inline: 0; z-index: 2000;
	display: flex; align-items: center; justify-content: space-between;
	block-size: var(--header-height); padding-inline: 12px;
	box-sizing: border-box; color: var(--color-background-plain-text);
}
#header a { color: inherit; text-decoration: none; }
.header-start, .header-end { display: flex; align-items: center; gap: 16px; }
.logo { display: block; inline-size: 62px; block-size: 26px; background: radial-gradient(circle at 12px 13px, transparent 5px, #fff 5.5px 8px, transparent 8.5px), radial-gradient(circle at 31px 13px, transparent 8px, #fff 8.5px 12px, transparent 12.5px), radial-gradient(circle at 50px 13px, transparent 5px, #fff 5.5px 8px, transparent 8.5px); }
#content {
	position: fixed; box-sizing: border-box; display: flex;
	inline-size: calc(100% - var(--body-container-margin) * 2); block-size: var(--body-height);
	margin: var(--header-height) var(--body-container-margin) 0; padding: 0;
	border-radius: var(--body-container-radius); overflow: clip;
}
`
