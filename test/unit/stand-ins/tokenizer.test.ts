// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { cleanUp, findClosing, parseBridgeArgument, parseOriginate, readBrackets, separate } from '../../stand-ins/freeswitch/tokenizer.ts'

const USER = 'sofia/external/sip:1000@127.0.0.1:5091'

/** The variables of `originate {BLOCK}…`. */
function variablesOf(block: string): Record<string, string> {
	return parseOriginate(`{${block}}${USER} &park()`).aVariables
}

/** The line that the recorded client built, with hostile input in one of two places. */
function recordedLine({ name = 'Alice', number = '4930123456' }: { name?: string, number?: string }): string {
	return `{origination_uuid=u,origination_caller_id_name=${name},origination_caller_id_number=100}${USER} &bridge(sofia/gateway/trunk/${number})`
}

describe('the stages of the tokenizer', () => {
	it('removes quotes, backslashes and outer spaces of a piece', () => {
		expect(cleanUp('  \'a  b\'  ')).toBe('a  b')
		expect(cleanUp('a\\\'b\\"c\\\\d')).toBe('a\'b"c\\d')
		expect(cleanUp('a\\nb\\rc\\td\\se')).toBe('a\nb\rc\td e')
	})

	it('takes a lone apostrophe for a letter and pairs two however far apart', () => {
		expect(cleanUp('O\'Brien')).toBe('O\'Brien')
		expect(cleanUp('O\'Brien, it\'s')).toBe('OBrien, its')
	})

	it('unescapes the delimiter only when it cuts at that delimiter', () => {
		expect(cleanUp('a\\,b', ',')).toBe('a,b')
		expect(cleanUp('a\\,b')).toBe('a\\,b')
	})

	it('keeps quoted trailing spaces and drops the others', () => {
		expect(cleanUp('a\' \' ')).toBe('a ')
		expect(cleanUp('   ')).toBe('')
	})

	it('groups by an apostrophe that is never closed only when it cuts at spaces', () => {
		expect(separate('a \'b c', ' ', 10)).toEqual(['a', '\'b c'])
		expect(separate('a,\'b,c', ',', 10)).toEqual(['a', '\'b', 'c'])
	})

	it('leaves the last allowed piece uncut', () => {
		expect(separate('a=b=c', '=', 2)).toEqual(['a', 'b=c'])
		expect(separate('a b c d', ' ', 3)).toEqual(['a', 'b', 'c d'])
	})

	it('lets ^^ choose another delimiter', () => {
		expect(separate('^^:a,b:c', ',', 10)).toEqual(['a,b', 'c'])
	})

	it('gives no piece for an empty end', () => {
		expect(separate('a=', '=', 2)).toEqual(['a'])
		expect(separate('a,,b', ',', 10)).toEqual(['a', '', 'b'])
	})

	it('counts brackets without regard to quotes and backslashes', () => {
		expect(findClosing('{a\'}\'b}', '{', '}')).toBe(3)
		expect(findClosing('{a\\}b}', '{', '}')).toBe(3)
		expect(findClosing('{a{b}c}', '{', '}')).toBe(6)
		expect(findClosing('{a', '{', '}')).toBe(-1)
	})

	it('gives up a block that is never closed', () => {
		expect(readBrackets('{a=1', '{', '}', ',')).toBeUndefined()
	})
})

describe('what escaping really does to a value in {…}', () => {
	it.each([
		['a quoted name', 'n=\'John Doe\',x=1', { n: 'John Doe', x: '1' }],
		['a quoted name with a comma', 'n=\'Doe, John\',x=1', { n: 'Doe', x: '1' }],
		['a variable smuggled in through quotes', 'n=\'Doe,api_hangup_hook=system id\',x=1', { n: 'Doe', api_hangup_hook: 'system id', x: '1' }],
		['an escaped comma and space', 'n=Doe\\,\\sJohn', { n: 'Doe, John' }],
		['an escaped comma in quotes', 'n=\'Doe\\, John\'', { n: 'Doe, John' }],
		['another delimiter', '^^:n=\'Doe, John\':x=1', { n: 'Doe, John', x: '1' }],
		['an escaped apostrophe', 'n=O\\\'Brien', { n: 'O\'Brien' }],
		['two apostrophes across two variables', 'n=O\'Brien,m=it\'s,x=1', { n: 'OBrien', m: 'its', x: '1' }],
		['an equals sign', 'n=a=b', { n: 'a=b' }],
		['an empty value', 'origination_uuid=,x=1', { x: '1' }],
		['a repeated name', 'x=1,x=2', { x: '2' }],
		['a name in quotes', '\'n=a b\',x=1', { n: 'a b', x: '1' }],
	])('reads %s', (_what, block, variables) => {
		expect(variablesOf(block)).toEqual(variables)
	})

	it('ends the block at any closing brace: the rest becomes the dial string', () => {
		const line = parseOriginate(`{n=x}evil,y=1}${USER} &park()`)
		expect(line.aVariables).toEqual({ n: 'x' })
		expect(line.aLegs.map(({ dialString }) => dialString)).toEqual(['evil', `y=1}${USER}`])
	})

	it('gives up when a brace is opened and not closed', () => {
		expect(parseOriginate(`{n=a{b}${USER} &park()`).fault).toBe('malformed')
	})

	it('reads several blocks, the later ones winning', () => {
		expect(parseOriginate(`{a=1,b=1}{b=2}${USER} &park()`).aVariables).toEqual({ a: '1', b: '2' })
	})
})

describe('what the recorded switch did with hostile names', () => {
	it.each([
		['a comma and a space', 'Smith, John'],
		['an escaped comma and a space', 'Smith\\, John'],
		['a space', 'Alice Bob'],
		['double quotes', '"Smith, John"'],
	])('is -ERR DESTINATION_OUT_OF_ORDER for %s without quotes', (_what, name) => {
		expect(parseOriginate(recordedLine({ name })).fault).toBe('malformed')
	})

	it('is the usage text for a lone apostrophe: it swallows the rest of the line', () => {
		expect(parseOriginate(recordedLine({ name: 'O\'Brien' })).fault).toBe('usage')
	})

	it.each([
		['\'Smith, John\'', 'Smith'],
		['\'Smith\\, John\'', 'Smith, John'],
		['\'Alice Bob\'', 'Alice Bob'],
		['O\\\'Brien', 'O\'Brien'],
		['\'Jürgen Müller\'', 'Jürgen Müller'],
		['a=b', 'a=b'],
		['${hostname}', '${hostname}'],
	])('shows the name %s as %s', (name, shown) => {
		expect(parseOriginate(recordedLine({ name })).aVariables.origination_caller_id_name).toBe(shown)
	})

	it('takes a variable from a name', () => {
		expect(parseOriginate(recordedLine({ name: 'x,lab_evil=1,execute_on_originate=log:evil' })).aVariables).toMatchObject({ origination_caller_id_name: 'x', lab_evil: '1', execute_on_originate: 'log:evil' })
	})

	it('takes another endpoint and another application from a name', () => {
		const line = parseOriginate(recordedLine({ name: 'x}null/evil &park() XML default evil' }))
		expect(line).toMatchObject({ aDialString: 'null/evil', application: 'park', dialplan: 'XML', context: 'default', legs: [] })
	})

	it('leaves no known endpoint after a closing brace', () => {
		expect(parseOriginate(recordedLine({ name: 'x}' })).aLegs[0]?.dialString).toBe('')
	})
})

describe('what the recorded switch did with hostile numbers', () => {
	it.each([
		['a space cuts it', '49 30 123456', ['49']],
		['a comma forks', '4930123456,null/evil', ['4930123456', 'evil']],
		['a pipe adds a next leg', '4930123456|null/evil', ['4930123456', 'evil']],
		[':_: adds a leg', '4930123456:_:null/evil', ['4930123456', 'evil']],
		['a parenthesis ends the argument', '4930123456) XML default evil', ['4930123456']],
		['a host stays on it', '4930123456@127.0.0.1:5091', ['4930123456@127.0.0.1:5091']],
		['a parameter stays on it', '4930123456;lab=1', ['4930123456;lab=1']],
		['braces in the middle are digits', '{lab_evil=1}4930123456', ['{lab_evil=1}4930123456']],
		['a service code passes', '*21*0900#', ['*21*0900#']],
		['an application behind it is ignored', '4930123456 &park', ['4930123456']],
	])('%s', (_what, number, called) => {
		expect(parseOriginate(recordedLine({ number })).legs.map((leg) => leg.number)).toEqual(called)
	})

	it('tries the leg behind a pipe after the first one and the leg behind a comma with it', () => {
		expect(parseOriginate(recordedLine({ number: '1|null/2,null/3' })).legs.map(({ group }) => group)).toEqual([0, 1, 1])
	})

	it.each(['${hostname}', '${system(whoami)}', '${global_getvar(local_ip_v4)}'])('would expand %s', (number) => {
		expect(parseOriginate(recordedLine({ number })).expansions).toHaveLength(1)
	})

	it('expands nothing in a harmless line', () => {
		expect(parseOriginate(recordedLine({})).expansions).toEqual([])
	})
})

describe('the line of originate', () => {
	it.each(['', 'nonsense', USER, 'a b c d e f g h'])('is answered with the usage text: "%s"', (line) => {
		expect(parseOriginate(line).fault).toBe('usage')
	})

	it('ends at the first line feed, carriage return or zero byte', () => {
		for (const end of ['\n', '\r', '\0']) {
			expect(parseOriginate(`${USER} &park()${end}X-Evil: 1`)).toMatchObject({ application: 'park', aDialString: USER })
		}
	})

	it('reads its seven arguments', () => {
		expect(parseOriginate('user/1000 9196 inline public Alice 100 25')).toMatchObject({
			extension: '9196',
			dialplan: 'inline',
			context: 'public',
			callerIdName: 'Alice',
			callerIdNumber: '100',
			timeoutSec: 25,
		})
	})

	it('takes undef for a missing argument', () => {
		expect(parseOriginate('user/1000 &park undef undef undef undef 25')).toMatchObject({ dialplan: 'XML', context: 'default', timeoutSec: 25 })
		expect(parseOriginate('user/1000 undef').fault).toBe('usage')
	})

	it('names gateway and number of each leg with its variables', () => {
		const [leg] = parseOriginate(`{a=1}${USER} &bridge({origination_uuid=b,x='y z'}sofia/gateway/trunk/+4930123456)`).legs
		expect(leg).toEqual({ dialString: 'sofia/gateway/trunk/+4930123456', gateway: 'trunk', number: '+4930123456', variables: { origination_uuid: 'b', x: 'y z' }, group: 0 })
	})
})

describe('variables of one leg in […]', () => {
	it('belong to that leg alone', () => {
		const line = parseOriginate(`{s=0}[origination_uuid=1,x=1]${USER},[origination_uuid=2]null/x &park`)
		expect(line.aLegs.map(({ variables }) => variables)).toEqual([{ origination_uuid: '1', x: '1', s: '0' }, { origination_uuid: '2', s: '0' }])
	})

	it('hide their commas from the cut between legs', () => {
		expect(parseBridgeArgument('[a=1,b=2]null/x,null/y')?.map(({ dialString }) => dialString)).toEqual(['null/x', 'null/y'])
		expect(parseBridgeArgument('[^^:a=1,2:b=3]null/x')?.[0]?.variables).toEqual({ a: '1,2', b: '3' })
	})

	it('lose their quotes to the cut between groups', () => {
		expect(parseBridgeArgument('[a=\'1,2\']null/x')?.[0]?.variables).toEqual({ a: '1' })
	})

	it('give way to {…} for ordinary variables and win for those that steer the creation', () => {
		expect(parseBridgeArgument('{x=all,origination_uuid=all}[x=own,origination_uuid=own]null/x')?.[0]?.variables).toEqual({ x: 'all', origination_uuid: 'own' })
		expect(parseBridgeArgument('{x=all,local_var_clobber=true}[x=own]null/x')?.[0]?.variables).toMatchObject({ x: 'own' })
	})
})
