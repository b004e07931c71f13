// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What people type and paste, and what it must become. The expectations come from the national numbering plans and from
// RFC 3966, not from the program: where the two differ, look up who is right.

import type { NumberFault } from '../../../lib/numbering/parse-number.ts'

export type ExpectedAnswer
	= | { e164: string, country: string | undefined, type: string | undefined, extension?: string }
		| { fault: NumberFault }
		| { emergency: true }

export interface InputRow {
	homeCountry: string | null
	input: string
	expected: ExpectedAnswer
}

type Type = 'FIXED_LINE' | 'MOBILE' | 'FIXED_LINE_OR_MOBILE' | 'TOLL_FREE' | 'PREMIUM_RATE' | 'SHARED_COST' | 'PERSONAL_NUMBER' | 'VOIP' | 'UAN' | 'PAGER' | 'VOICEMAIL' | undefined

/** Numbers of one home country that belong to it: what is typed, E.164, type. */
function at(country: string, rows: [input: string, e164: string, type: Type][]): InputRow[] {
	return rows
		.map(([input, e164, type]) => ({ homeCountry: country, input, expected: { e164, country, type } }))
}

/** Numbers of another country, or of none: what is typed, E.164, country, type. */
function abroad(homeCountry: string | null, rows: [input: string, e164: string, country: string | undefined, type: Type][]): InputRow[] {
	return rows
		.map(([input, e164, country, type]) => ({ homeCountry, input, expected: { e164, country, type } }))
}

function refused(homeCountry: string | null, fault: NumberFault, inputs: string[]): InputRow[] {
	return inputs
		.map((input) => ({ homeCountry, input, expected: { fault } }))
}

function emergency(homeCountry: string | null, inputs: string[]): InputRow[] {
	return inputs
		.map((input) => ({ homeCountry, input, expected: { emergency: true } }))
}

const BERLIN = { e164: '+4930123456', country: 'DE', type: 'FIXED_LINE' } as const

function berlin(homeCountry: string | null, inputs: string[]): InputRow[] {
	return inputs
		.map((input) => ({ homeCountry, input, expected: BERLIN }))
}

/** A Berlin number with what is pressed after the answer. */
function withKeys(homeCountry: string | null, rows: [input: string, extension: string][]): InputRow[] {
	return rows
		.map(([input, extension]) => ({ homeCountry, input, expected: { ...BERLIN, extension } }))
}

const NATIONAL: InputRow[] = [
	...at('DE', [
		['089 / 12 34 56', '+4989123456', 'FIXED_LINE'],
		['(0221) 1234-56', '+49221123456', 'FIXED_LINE'],
		['040-123456-0', '+49401234560', 'FIXED_LINE'],
		['0170 1234567', '+491701234567', 'MOBILE'],
		['01511/2345678', '+4915112345678', 'MOBILE'],
		['170 1234567', '+491701234567', 'MOBILE'],
		['0800 1234567', '+498001234567', 'TOLL_FREE'],
		['0900 1 234567', '+499001234567', 'PREMIUM_RATE'],
		['0180 5 123456', '+491805123456', 'SHARED_COST'],
		['0700 12345678', '+4970012345678', 'PERSONAL_NUMBER'],
		// A national subscriber number: of no town, at the price of a fixed line.
		['032 221 234 567', '+4932221234567', 'FIXED_LINE'],
		['0900 12345678', '+4990012345678', undefined],
	]),
	...at('AT', [
		['01 58858', '+43158858', 'FIXED_LINE'],
		['0316 / 872-0', '+433168720', 'FIXED_LINE'],
		['0664 1234567', '+436641234567', 'MOBILE'],
		['0800 123456', '+43800123456', 'TOLL_FREE'],
		['0810 123456', '+43810123456', 'SHARED_COST'],
		['0900 123456', '+43900123456', 'PREMIUM_RATE'],
		['+43 (0) 1 / 588 58', '+43158858', 'FIXED_LINE'],
	]),
	...at('CH', [
		['044 668 18 00', '+41446681800', 'FIXED_LINE'],
		['+41 (0)44 668 18 00', '+41446681800', 'FIXED_LINE'],
		['0041446681800', '+41446681800', 'FIXED_LINE'],
		['079 123 45 67', '+41791234567', 'MOBILE'],
		['0800 123 456', '+41800123456', 'TOLL_FREE'],
		['0900 123 456', '+41900123456', 'PREMIUM_RATE'],
		['0848 123 456', '+41848123456', 'SHARED_COST'],
	]),
	...at('FR', [
		['01 42 68 53 00', '+33142685300', 'FIXED_LINE'],
		['01.42.68.53.00', '+33142685300', 'FIXED_LINE'],
		['+33 (0)1 42 68 53 00', '+33142685300', 'FIXED_LINE'],
		['06 12 34 56 78', '+33612345678', 'MOBILE'],
		['0800 123 456', '+33800123456', 'TOLL_FREE'],
		['08 99 12 34 56', '+33899123456', 'PREMIUM_RATE'],
		['09 72 12 34 56', '+33972123456', 'VOIP'],
	]),
	...at('GB', [
		['020 7946 0958', '+442079460958', 'FIXED_LINE'],
		['(0161) 496 0000', '+441614960000', 'FIXED_LINE'],
		['+44 (0)20 7946 0958', '+442079460958', 'FIXED_LINE'],
		['07400 123456', '+447400123456', 'MOBILE'],
		['0808 157 0192', '+448081570192', 'TOLL_FREE'],
		['0909 879 0000', '+449098790000', 'PREMIUM_RATE'],
		// A service charge that goes to who is called: no shared cost any more.
		['0845 496 0000', '+448454960000', 'PREMIUM_RATE'],
		['070 1234 5678', '+447012345678', 'PERSONAL_NUMBER'],
		['055 1234 5678', '+445512345678', 'UAN'],
		['056 1234 5678', '+445612345678', 'VOIP'],
		['076 4012 3456', '+447640123456', 'PAGER'],
	]),
	...at('IE', [
		['(01) 679 1234', '+35316791234', 'FIXED_LINE'],
		['085 012 3456', '+353850123456', 'MOBILE'],
		['1800 123 456', '+3531800123456', 'TOLL_FREE'],
	]),
	...at('NL', [
		['020 123 4567', '+31201234567', 'FIXED_LINE'],
		['+31 (0)20-1234567', '+31201234567', 'FIXED_LINE'],
		['06-12345678', '+31612345678', 'MOBILE'],
		['0800 1234', '+318001234', 'TOLL_FREE'],
		['0900 1234', '+319001234', 'PREMIUM_RATE'],
		['085 123 4567', '+31851234567', 'VOIP'],
		['088 123 4567', '+31881234567', 'UAN'],
	]),
	...at('BE', [
		['02 555 12 12', '+3225551212', 'FIXED_LINE'],
		['0470 12 34 56', '+32470123456', 'MOBILE'],
		['0800 12 345', '+3280012345', 'TOLL_FREE'],
		['0900 12 345', '+3290012345', 'PREMIUM_RATE'],
	]),
	...at('LU', [
		['27 12 34 56', '+35227123456', 'FIXED_LINE'],
		['621 123 456', '+352621123456', 'MOBILE'],
	]),
	...at('IT', [
		['06 1234 5678', '+390612345678', 'FIXED_LINE'],
		['02 1234 5678', '+390212345678', 'FIXED_LINE'],
		['+39 (0)2 1234 5678', '+390212345678', 'FIXED_LINE'],
		['312 345 6789', '+393123456789', 'MOBILE'],
		['800 123456', '+39800123456', 'TOLL_FREE'],
		['899 123456', '+39899123456', 'PREMIUM_RATE'],
	]),
	...at('ES', [
		['91 123 45 67', '+34911234567', 'FIXED_LINE'],
		['612 34 56 78', '+34612345678', 'MOBILE'],
		['900 123 456', '+34900123456', 'TOLL_FREE'],
		['803 123 456', '+34803123456', 'PREMIUM_RATE'],
		['34 911 234 567', '+34911234567', 'FIXED_LINE'],
	]),
	...at('PT', [
		['21 123 4567', '+351211234567', 'FIXED_LINE'],
		['912 345 678', '+351912345678', 'MOBILE'],
		['800 123 456', '+351800123456', 'TOLL_FREE'],
		['808 123 456', '+351808123456', 'SHARED_COST'],
	]),
	...at('SE', [
		['08-123 456 78', '+46812345678', 'FIXED_LINE'],
		['031-12 34 56', '+4631123456', 'FIXED_LINE'],
		['070-123 45 67', '+46701234567', 'MOBILE'],
		['020-12 34 56', '+4620123456', 'TOLL_FREE'],
	]),
	...at('NO', [
		['22 12 34 56', '+4722123456', 'FIXED_LINE'],
		['406 12 345', '+4740612345', 'MOBILE'],
		['800 12 345', '+4780012345', 'TOLL_FREE'],
		['820 12 345', '+4782012345', 'PREMIUM_RATE'],
	]),
	...at('DK', [
		['80 12 34 56', '+4580123456', 'TOLL_FREE'],
		['90 12 34 56', '+4590123456', 'PREMIUM_RATE'],
	]),
	...at('FI', [
		['09 1234567', '+35891234567', 'FIXED_LINE'],
		['041 2345678', '+358412345678', 'MOBILE'],
		['0800 123456', '+358800123456', 'TOLL_FREE'],
		['0600 12345', '+35860012345', 'PREMIUM_RATE'],
	]),
	...at('PL', [
		['12 345 67 89', '+48123456789', 'FIXED_LINE'],
		['512 345 678', '+48512345678', 'MOBILE'],
		['800 123 456', '+48800123456', 'TOLL_FREE'],
		['701 234 567', '+48701234567', 'PREMIUM_RATE'],
	]),
	...at('CZ', [
		['212 345 678', '+420212345678', 'FIXED_LINE'],
		['601 123 456', '+420601123456', 'MOBILE'],
		['800 123 456', '+420800123456', 'TOLL_FREE'],
		['900 123 456', '+420900123456', 'PREMIUM_RATE'],
	]),
	...at('HU', [
		['06 1 234 5678', '+3612345678', 'FIXED_LINE'],
		['06-20-123-4567', '+36201234567', 'MOBILE'],
		['06 80 123 456', '+3680123456', 'TOLL_FREE'],
	]),
	...at('GR', [
		['21 2345 6789', '+302123456789', 'FIXED_LINE'],
		['691 234 5678', '+306912345678', 'MOBILE'],
	]),
	...at('TR', [
		['0212 345 67 89', '+902123456789', 'FIXED_LINE'],
		['(0501) 234 56 78', '+905012345678', 'MOBILE'],
	]),
	...at('RU', [
		['8 (495) 123-45-67', '+74951234567', 'FIXED_LINE'],
		['(495) 123-45-67', '+74951234567', 'FIXED_LINE'],
		['8 912 345-67-89', '+79123456789', 'MOBILE'],
		['8 800 123-45-67', '+78001234567', 'TOLL_FREE'],
	]),
	...at('UA', [
		['044 123 4567', '+380441234567', 'FIXED_LINE'],
		['050 123 4567', '+380501234567', 'MOBILE'],
	]),
	...at('US', [
		['(201) 555-0123', '+12015550123', 'FIXED_LINE_OR_MOBILE'],
		['201.555.0123', '+12015550123', 'FIXED_LINE_OR_MOBILE'],
		['1-201-555-0123', '+12015550123', 'FIXED_LINE_OR_MOBILE'],
		['+1 (201) 555-0123', '+12015550123', 'FIXED_LINE_OR_MOBILE'],
		['1 (800) 234-5678', '+18002345678', 'TOLL_FREE'],
		['900-234-5678', '+19002345678', 'PREMIUM_RATE'],
		['500-234-5678', '+15002345678', 'PERSONAL_NUMBER'],
	]),
	...at('BR', [
		['(11) 2345-6789', '+551123456789', 'FIXED_LINE'],
		['(11) 96123-4567', '+5511961234567', 'MOBILE'],
		['0 15 11 2345-6789', '+551123456789', 'FIXED_LINE'],
		['0800 123 4567', '+558001234567', 'TOLL_FREE'],
	]),
	...at('AR', [
		['011 2345-6789', '+541123456789', 'FIXED_LINE'],
		['011 15-2345-6789', '+5491123456789', 'MOBILE'],
	]),
	...at('CO', [
		['601 234 5678', '+576012345678', 'FIXED_LINE'],
		['321 234 5678', '+573212345678', 'MOBILE'],
	]),
	...at('AU', [
		['(02) 9876 5432', '+61298765432', 'FIXED_LINE'],
		['0412 345 678', '+61412345678', 'MOBILE'],
		['1800 123 456', '+611800123456', 'TOLL_FREE'],
		['1300 123 456', '+611300123456', 'SHARED_COST'],
		['1900 123 456', '+611900123456', 'PREMIUM_RATE'],
	]),
	...at('NZ', [
		['09 234 5678', '+6492345678', 'FIXED_LINE'],
		['021 123 4567', '+64211234567', 'MOBILE'],
	]),
	...at('JP', [
		['03-1234-5678', '+81312345678', 'FIXED_LINE'],
		['03ー1234ー5678', '+81312345678', 'FIXED_LINE'],
		['０３（１２３４）５６７８', '+81312345678', 'FIXED_LINE'],
		['090-1234-5678', '+819012345678', 'MOBILE'],
		['0120-123-456', '+81120123456', 'TOLL_FREE'],
		['050・1234・5678', '+815012345678', 'VOIP'],
	]),
	...at('CN', [
		['010 1234 5678', '+861012345678', 'FIXED_LINE'],
		['131 2345 6789', '+8613123456789', 'MOBILE'],
	]),
	...at('KR', [
		['02-212-3456', '+8222123456', 'FIXED_LINE'],
		['010-2000-0000', '+821020000000', 'MOBILE'],
	]),
	...at('IN', [
		['098765 43210', '+919876543210', 'MOBILE'],
		['98765 43210', '+919876543210', 'MOBILE'],
		['०९८७६५४३२१०', '+919876543210', 'MOBILE'],
		['011 2345 6789', '+911123456789', 'FIXED_LINE'],
	]),
	...at('BD', [['০১৮১২৩৪৫৬৭৮', '+8801812345678', 'MOBILE']]),
	...at('SG', [
		['6123 4567', '+6561234567', 'FIXED_LINE'],
		['8123 4567', '+6581234567', 'MOBILE'],
	]),
	...at('HK', [
		['2123 4567', '+85221234567', 'FIXED_LINE'],
		['5123 4567', '+85251234567', 'MOBILE'],
	]),
	...at('TH', [['๐๒ ๑๒๓ ๔๕๖๗', '+6621234567', 'FIXED_LINE']]),
	...at('ZA', [
		['010 123 4567', '+27101234567', 'FIXED_LINE'],
		['071 123 4567', '+27711234567', 'MOBILE'],
	]),
	...at('NG', [['0802 123 4567', '+2348021234567', 'MOBILE']]),
	...at('KE', [['0712 123456', '+254712123456', 'MOBILE']]),
	...at('EG', [['٠١٠٠١٢٣٤٥٦٧', '+201001234567', 'MOBILE']]),
	...at('IR', [['۰۲۱ ۲۳۴۵ ۶۷۸۹', '+982123456789', 'FIXED_LINE']]),
	...at('SA', [
		['011 234 5678', '+966112345678', 'FIXED_LINE'],
		['051 234 5678', '+966512345678', 'MOBILE'],
	]),
	...at('AE', [['050 123 4567', '+971501234567', 'MOBILE']]),
	...at('IL', [
		['02־123־4567', '+97221234567', 'FIXED_LINE'],
		['050-234-5678', '+972502345678', 'MOBILE'],
	]),
]

const INTERNATIONAL: InputRow[] = [
	...berlin(null, ['+4930123456', '+49 30 123456', '+49 (30) 123456', '+49 (0)30 123456', '+49(0)30/123456', '(+49) (0)30 / 12 34 56', '+49.30.123456', '+49/30/123456', '+49–30—12−34‑56', '+49\u00a030\u202f123\u2009456', '+49\t30\n123456', '+ 49 30 123456', '+4930123456\r\n']),
	...berlin(null, ['+٤٩ ٣٠ ١٢٣٤٥٦', '＋４９（０）３０１２３４５６', '\u202a+49 30 123456\u202c', '\u200e+49\u200b30\u2060123456\ufeff', '+49\u00ad30\u00ad123456', '+4\ufe0f\u20e39\ufe0f\u20e330123456', '+49\u034f30123456', '+49·30·123456', '+49•30•123456', '+49‧30‧123456', '+49⁄30∕123456', '+49\u008530123456', '+49\u202830123456']),
	...berlin('DE', ['030 123456', '(030) 123456', '030/123456', '0 30 - 12 34 56', '030.123.456', '0049 30 123456', '0049 (0) 30 123456', '00 49 30 / 12 34 56', '۰۳۰۱۲۳۴۵۶', '０３０−１２３４５６', '𝟎𝟛𝟬1𝟤𝟹456']),
	...berlin('US', ['011 49 30 123456', '+49 30 123456', '(011) 49-30-123456']),
	...berlin('RU', ['8 10 49 30 123456']),
	...berlin('AU', ['0011 49 30 123456']),
	...berlin('JP', ['010 49 30 123456']),
	...berlin('FI', ['990 49 30 123456', '00 49 30 123456']),
	...berlin('IT', ['0049 (0)30 123456']),
	...abroad(null, [
		['+1 268 464 1234', '+12684641234', 'AG', 'MOBILE'],
		['+1 876 578 0123', '+18765780123', 'JM', 'MOBILE'],
		['+1 416 555 0123', '+14165550123', 'CA', 'FIXED_LINE_OR_MOBILE'],
		['+1 787 234 5678', '+17872345678', 'PR', 'FIXED_LINE_OR_MOBILE'],
		['+44 7911 123456', '+447911123456', 'GG', 'MOBILE'],
		['+44 1481 256789', '+441481256789', 'GG', 'FIXED_LINE'],
		['+39 06 698 12345', '+390669812345', 'VA', 'FIXED_LINE'],
		['+7 701 234 5678', '+77012345678', 'KZ', 'MOBILE'],
		['+7 840 123 4567', '+78401234567', 'RU', 'FIXED_LINE'],
		['+247 41234', '+24741234', 'AC', 'MOBILE'],
		['+800 1234 5678', '+80012345678', undefined, 'TOLL_FREE'],
		['+870 773 111 632', '+870773111632', undefined, 'MOBILE'],
		['+881 612 345 678', '+881612345678', undefined, 'MOBILE'],
		['+882 1234567', '+8821234567', undefined, undefined],
		['+979 123 456 789', '+979123456789', undefined, 'PREMIUM_RATE'],
		['+372 5123 4567', '+37251234567', 'EE', 'MOBILE'],
		['+354 410 1234', '+3544101234', 'IS', 'FIXED_LINE'],
		['+49 1234567', '+491234567', 'DE', undefined],
		['+39 (0)331 1234567', '+3903311234567', 'IT', 'FIXED_LINE'],
		['+36 (06) 1 234 5678', '+3612345678', 'HU', 'FIXED_LINE'],
	]),
	...abroad('DE', [
		['0043 1 58858', '+43158858', 'AT', 'FIXED_LINE'],
		['0039 06 1234 5678', '+390612345678', 'IT', 'FIXED_LINE'],
		['001 201 555 0123', '+12015550123', 'US', 'FIXED_LINE_OR_MOBILE'],
	]),
	...abroad('CA', [['011 33 1 42 68 53 00', '+33142685300', 'FR', 'FIXED_LINE']]),
]

const URIS: InputRow[] = [
	...berlin(null, ['tel:+4930123456', 'TEL:+49-30-123456', ' tel: +49 (30) 123456 ', 'tel:%2B49%2030%20123456', 'tel:+49%2D30%2D123456', 'tel://+4930123456', 'tel:tel:+4930123456', 'tel:tel:+49-30-123456', 'tel:tel%3A%2B4930123456', 'tel:030-123456;phone-context=+49', 'tel:30-123456;phone-context=+49', 'tel:123456;phone-context=+49-30', 'tel:030123456;Phone-Context=%2B49', 'tel:+4930123456;phone-context=+1', 'tel:+4930123456;foo=bar;baz', 'tel:+4930123456;rn=+4930', 'tel:+4930123456;phone-context=example.com']),
	...berlin(null, ['sip:+4930123456@example.com', 'sips:+49-30-123456@example.com;user=phone', 'SIP:+4930123456;phone-context=+1@example.com:5061?subject=x', 'sip:+4930123456:secret@example.com', 'sip:%2B4930123456@example.com', 'sip:+4930123456;user=phone', 'sip:+4930123456']),
	...berlin(null, ['TEL:+49 30 123456', 'TEL;VALUE=URI:tel:+49-30-123456', 'TEL;TYPE="work,voice";VALUE=uri:tel:+49-30-123456\r\n', 'item1.TEL;type=CELL:+4930123456']),
	...berlin('DE', ['tel:030123456', 'tel:(030)%20123456', 'TEL;TYPE=WORK:030 / 12 34 56']),
	...abroad(null, [
		['tel:06-12345678;phone-context=+39', '+390612345678', 'IT', 'FIXED_LINE'],
		['tel:863-1234;phone-context=+1-914', '+19148631234', 'US', 'FIXED_LINE_OR_MOBILE'],
		['tel:+1-201-555-0123', '+12015550123', 'US', 'FIXED_LINE_OR_MOBILE'],
	]),
	...refused('DE', 'empty', ['tel:', 'tel:tel:', 'tel:;foo=bar', 'TEL;TYPE=WORK:']),
	...refused('DE', 'not_a_number', ['tel:+4930123456;m-charge=free', 'tel:+4930123456;M-charge', 'tel:7042;phone-context=example.com', 'tel:030123456;phone-context="+49"', 'tel:2025550123;phone-context=+49;phone-context=+1', 'tel:+4930123456;foo=1;foo=2', 'tel:+4930123456;=12', 'tel:+4930123456;e x=12', 'tel:%', 'tel:%E0%A4%A', 'tel:+49%0030123456', 'tel:+1-800-FLOWERS', 'sip:1007@example.com', 'sip:030123456@example.com', 'sip:anna@example.com', 'sip:4930123456@example.com;user=phone', 'sip:', 'sip:example.com', 'sip:%2', 'sip:+4930123456@example.com;user=phone@x', 'callto:+4930123456', 'tel:+4930123456%253Bext=12']),
	...refused('DE', 'extension_not_supported', ['tel:+4930123456;isub=12', 'tel:+4930123456;isub=12;ext=3', 'tel:+4930123456;ext=3;ISUB=12', 'tel:+4930123456;postd=pp12']),
	...refused('DE', 'bad_extension', ['tel:+4930123456;ext=', 'tel:+4930123456;ext', 'tel:+4930123456;ext=abc', 'tel:+4930123456,1;ext=2', 'tel:+4930123456;ext=123456789012345678901', 'tel:+4930123456;ext=+12']),
	...refused(null, 'needs_country_code', ['tel:030123456', 'tel:030123456;foo=bar']),
]

const EXTENSIONS: InputRow[] = [
	...withKeys(null, [
		['tel:+4930123456;ext=12', '12'],
		['tel:+4930123456;EXT=12', '12'],
		['sip:+4930123456;ext=12@example.com', '12'],
		['tel:+4930123456;ext=1-2.(3)', '123'],
		['tel:+4930123456%3Bext=12', '12'],
		['tel:+4930123456;ext=12%23', '12#'],
		['tel:tel:+49-30-123456;ext=102', '102'],
		['tel:123456;ext=7;phone-context=+4930', '7'],
		['tel:+4930123456,,12#', ',12#'],
		['tel:+4930123456;12', '12'],
		['+4930123456;ext=12', '12'],
		['+49 30 123456 ext. 12', '12'],
		['+49 30 123456 ext 12', '12'],
		['+49 30 123456 EXT. 12', '12'],
		['+49 30 123456 Ext.: 12', '12'],
		['+49 30 123456 extension 12', '12'],
		['+49 30 123456, ext. 12', '12'],
		['+49 30 123456x12', '12'],
		['+49 30 123456 x 12', '12'],
		['+49 30 123456 X12', '12'],
		['+49 30 123456 (ext. 12)', '12'],
		['+49 (0)30 123456 x12', '12'],
		['+4930123456;800', '800'],
		['+4930123456,12', '12'],
		['+4930123456,,12#', ',12#'],
		['+4930123456 ,,12#', ',12#'],
		['+4930123456,12,,34#', '12,,34#'],
		['+4930123456,,12#,,', ',12#'],
		['+4930123456,*12', '*12'],
		['+4930123456，１２＃', '12#'],
		['+٤٩٣٠١٢٣٤٥٦ ext. ١٢', '12'],
		['\u202a+4930123456,12\u202c', '12'],
		['+49 30 123456 ext. 12345678901234567890', '12345678901234567890'],
		['+49 30 123456 ext. 0', '0'],
	]),
	...withKeys('DE', [
		['030 123456 ext. 12', '12'],
		['030/123456,12', '12'],
		['030 123456 ext. 030 123457', '030123457'],
		['030123456,1234567#', '1234567#'],
		['TEL;TYPE=WORK:030 123456 x12', '12'],
	]),
	{ homeCountry: 'US', input: '(201) 555-0123 x45', expected: { e164: '+12015550123', country: 'US', type: 'FIXED_LINE_OR_MOBILE', extension: '45' } },
	{ homeCountry: 'US', input: '1-800-234-5678 ext. 9', expected: { e164: '+18002345678', country: 'US', type: 'TOLL_FREE', extension: '9' } },
	...refused('DE', 'bad_extension', ['030 123456,', '030 123456;', '030 123456 ext.', '030 123456 x', '030 123456,,', '030 123456, 12', '030 123456; 12', '030 123456 ext. 12a', '030 123456 ext. 12w', '030 123456,W12', '030 123456 ext. 12p', '030 123456 ext. ABCD', '030 123456 ext. 12@100', '030 123456 ext. 1+2', '030 123456 ext. ~12', '030 123456 ext. 12 ext. 13', '030 123456,12;13', '030 123456 x+12', '030 123456 ext. 123456789012345678901', '030 123456,1234567890123456789,0,1', '030 123456 ext. 12²', '030 123456,user/1000', '030 123456;ext12x', '030 123456;phone-context=+49']),
	...refused('DE', 'several_numbers', ['030 123456, 030 123457', '030123456,030123457', '030 123456; +49 30 123457', '+4930123456,+4930123457', '030 123456 / 030 123457', '+49 30 123456 / +49 170 1234567', '030 123456\n030 123457', '030 123456\r\n0170 1234567']),
	...refused('DE', 'not_a_number', ['030 123456 Durchwahl 12', '030 123456 DW 12', '030 123456 App. 12', '030 123456 anschluss 12', '030 123456 p12', '030 123456w12', '030 123456 extra 12', '030 123456 xy 12', '030 123456 y12']),
]

const REFUSED: InputRow[] = [
	...refused('DE', 'empty', ['', ' ', '\u200b', ' - ( ) / ']),
	...refused('DE', 'too_long', ['1'.repeat(201), `+4930123456${' '.repeat(200)}`]),
	...refused('DE', 'not_a_number', ['+', '++4930123456', '+49+30123456', '00+4930123456', 'Max Mustermann', 'call me: +49 30 123456', 'Tel. 030 123456 (Zentrale)', '+49 30 123456 (Berlin)', '0800-PIZZA', '1-800-FLOWERS', '+1 800 FLEXNOW', '+49 30 12345p6', '+49 30 123456²', '+493012345①', '+493012345½', '⁺4930123456', '+49 30 123456?', '030_123456', '030|123456', '+49{30}123456', '+49[30]123456', '+49\'30\'123456', '${system(id)}', '+4930123456@example.com', '+4930123456\0', '+49\u007f30123456', '✆ 030 123456']),
	...refused('DE', 'service_code', ['*21*030123456#', '**21*030123456#', '#31#+4930123456', '*#06#', '*100#', '#', '*', '+4930123456#', '+4930123456#12', '030*123456']),
	...refused('DE', 'needs_area_code', ['30 123456', '30123456', '123456', '49 30 123456', '4915112345678', '89 123456', '(30) 123456', '123 45 67', '116117', '115 116 117']),
	...refused('AT', 'needs_area_code', ['1 58858', '43 1 58858', '58858-0']),
	...refused('GB', 'needs_area_code', ['20 7946 0958', '161 496 0000']),
	...refused('SE', 'needs_area_code', ['8-123 456 78', '31-12 34 56']),
	...refused('IE', 'needs_area_code', ['1 679 1234']),
	...refused('CN', 'needs_area_code', ['10 1234 5678']),
	...refused(null, 'needs_country_code', ['030 123456', '0049 30 123456', '(201) 555-0123', '1-201-555-0123', '4930123456']),
	...refused('XX', 'needs_country_code', ['030 123456']),
	...refused('DE', 'impossible', ['+4912', '+1234567890123456', '+0123456789', '+999 123456789', '+210 123456789', '+49 00 30 123456', '+0049 30 123456', '0112', '00112', '+49112', '+49110', '+112', '+1911', '000 30 123456', '0049 0049 30 123456', '(0)30', '03', '0000000']),
	...refused('US', 'impossible', ['0049 30 1234567', '555-0123', '1 555 0123', '201 555 012', '201 555 01234', '+1 201 555 01234']),
	...refused('FR', 'impossible', ['01 42 68 53', '3615']),
	...refused('IT', 'impossible', ['+39112', '06']),
	...refused('SG', 'impossible', ['1 2 3 4']),
]

const EMERGENCY: InputRow[] = [
	...emergency(null, ['112', '911', '999', '110', '000', '111', '113', '115', '117', '118', '119', '15', '17', '18', '122', '190', '192', '193', '997', '998']),
	...emergency(null, ['1 1 2', ' 112\n', '(112)', '1-1-2', '1.1.2', '112.', '9-1-1', '9/1/1', '１１２', '١١٢', '۱۱۲', '९११', '\u200e112', '1\u00ad12', '9\ufe0f\u20e31\ufe0f\u20e31\ufe0f\u20e3', '1·1·2']),
	...emergency(null, ['tel:112', 'TEL: 112', 'tel:%31%31%32', 'tel:1-1-2;phone-context=+49', 'tel:112;phone-context=+49', 'tel:911;phone-context=example.com', 'tel:tel:112', 'tel://112', 'sip:112@example.com', 'sip:911@example.com;user=phone', 'sip:%31%31%32', 'TEL;TYPE=WORK:112', 'TEL;VALUE=uri:tel:911']),
	...emergency(null, ['911;ext=1', '112;ext=1', 'tel:911;ext=1', 'tel:112;isub=1', '911 ext. 1', '911x1', '911,1', '112,,12#', '112;', '112, 110', '112#', '911*1', '112 ext.', '(112) ext. 12']),
	...emergency('DE', ['110', '112', '1121', '1100', '11212', '112 110']),
	...emergency('AT', ['112', '122', '133', '144', '133 ext. 1', 'tel:144']),
	...emergency('CH', ['112', '117', '118', '144']),
	...emergency('FR', ['15', '17', '18', '112', '1 5']),
	...emergency('GB', ['112', '999']),
	...emergency('US', ['112', '911', '9 1 1']),
	...emergency('IT', ['112', '113', '115', '118']),
	...emergency('PL', ['112', '997', '998', '999']),
	...emergency('BR', ['128', '190', '192', '193', '911']),
	...emergency('AU', ['000', '112']),
	...emergency('JP', ['110', '119', '１１９']),
	...emergency('IN', ['112', '१०८']),
]

export const INPUTS: readonly InputRow[] = [...NATIONAL, ...INTERNATIONAL, ...URIS, ...EXTENSIONS, ...REFUSED, ...EMERGENCY]
