// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Cards to begin with: every way in which a number stands in real address books. The numbers belong to nobody. */

function card(...lines: string[]): string {
	return ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n')
}

/** Nextcloud itself puts this one into every new address book. */
export const LEON_GREEN: Readonly<Record<string, string>> = {
	default: card('VERSION:3.0', 'PRODID:-//IDN nextcloud.com//Contacts app//EN', 'UID:c5713ec5-c534-4658-a231-be4aaf51ddf8', 'FN:Leon Green', 'N:Green;Leon;;;', 'TEL;TYPE=HOME,VOICE:+999999999999', 'EMAIL;TYPE=HOME:leon@example.com'),
}

export const SAMPLE_CARDS: Readonly<Record<string, string>> = {
	// As recorded from a real Nextcloud.
	'c1-example.vcf': card('VERSION:3.0', 'UID:c1-example', 'FN:Erika Beispiel', 'N:Beispiel;Erika;;;', 'ORG:Example GmbH', 'TEL;TYPE=CELL:+49 170 1234567', 'TEL;TYPE=WORK,VOICE:+49 (30) 5550-100', 'EMAIL:erika@example.net'),
	'c2-example.vcf': card('VERSION:4.0', 'UID:c2-example', 'FN:Otto Vier', 'N:Vier;Otto;;;', 'TEL;VALUE=uri;TYPE="voice,home":tel:+1-555-0100;ext=12'),
	// With groups and labels, as Apple's address book writes it.
	'grouped.vcf': card('VERSION:3.0', 'UID:grouped', 'FN:Åsa Öberg', 'N:Öberg;Åsa;;;', 'item1.TEL;type=pref:08-123 456 78', 'item1.X-ABLabel:Sommarstuga', 'item2.TEL:+46 8 123 456 79', 'item2.X-ABLabel:_$!<Work>!$_'),
	'many.vcf': card('VERSION:3.0', 'UID:many', 'FN:Żółć\\, Jaźń & Søn <AS>', 'N:Jaźń;Żółć;;;', 'TEL;TYPE=CELL,PREF:0170/765 43 21', 'TEL;TYPE=HOME:030 123400', 'TEL;TYPE=WORK:+49 30 123417', 'TEL;TYPE=FAX,WORK:+49 30 123499', 'TEL;TYPE=PAGER:+49 30 123498'),
	'folded.vcf': card('VERSION:3.0', 'UID:folded', 'FN:Konstantin Alexander Maximilian von und zu Hohenbergen-Wittelsbach-Sa', ' yn-Altenkirchen', 'N:von und zu Hohenbergen-Wittelsbach-Sayn-Altenkirchen;Konstantin;', ' Alexander Maximilian;Graf;', 'TEL;TYPE=WORK;X-LABEL="Büro: Empfang; 2. Stock, bitte lange klingeln lass', ' en":+49 30 12', ' 3419', 'NOTE:Über mehrere Zeilen\\,\\nmit Umbruch'),
	'silent.vcf': card('VERSION:3.0', 'UID:silent', 'FN:Ohne Nummer', 'N:Nummer;Ohne;;;', 'EMAIL:ohne@example.net'),
}
