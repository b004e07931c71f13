// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The container's scripts as they are, beneath a folder that looks like the image.

import type { FakeContainer } from './fake-container.ts'

import { chmod, chown, lstat, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IS_ROOT, makeFakeContainer, OTHER_USER } from './fake-container.ts'

const KEY = 'key "with\\quotes" and {{ braces }}'
const SECRET = 'the-app-secret'

let container: FakeContainer
let plain: Record<string, string>
let harp: Record<string, string>

beforeEach(async () => {
	container = await makeFakeContainer()
	plain = { APP_ID: 'sipcall', APP_SECRET: SECRET, APP_HOST: '0.0.0.0', APP_PORT: '23000', APP_PERSISTENT_STORAGE: container.path('volume') }
	harp = { ...plain, HP_SHARED_KEY: KEY, HP_FRP_ADDRESS: 'harp.example', HP_FRP_PORT: '8782' }
})

afterEach(() => container.remove())

async function putCertificates(files = ['ca.crt', 'client.crt', 'client.key']): Promise<void> {
	await mkdir(container.path('certs/frp'), { recursive: true })
	for (const file of files) {
		await writeFile(container.path('certs/frp', file), `the ${file}\n`, { mode: 0o600 })
	}
}

/** For the supervision alone; the entry point makes it itself. */
async function makeRunFolder(): Promise<void> {
	await mkdir(container.path('run/sipcall'))
	await chmod(container.path('run/sipcall'), 0o777)
}

async function ownerOf(...parts: string[]): Promise<{ uid: number, gid: number }> {
	const { uid, gid } = await lstat(container.path(...parts))
	return { uid, gid }
}

describe.skipIf(!IS_ROOT)('the entry point as root', () => {
	it('runs the server as the unprivileged user, without capabilities and without a way back', async () => {
		const run = container.run('entrypoint.sh', plain)
		await container.began('node')
		const status = await container.read('node.status')
		expect(status).toMatch(new RegExp(`^Uid:(\\s+${OTHER_USER.uid}){4}$`, 'm'))
		expect(status).toMatch(new RegExp(`^Gid:(\\s+${OTHER_USER.gid}){4}$`, 'm'))
		expect(status).toMatch(/^CapEff:\s+0+$/m)
		expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
		expect(await container.read('node.args')).toBe('lib/main.ts\n')
		expect((await container.read('node.cwd')).trim()).toBe(container.path('app'))
		expect(await container.read('node.env')).toContain(`APP_SECRET=${SECRET}`)
		run.process.kill('SIGTERM')
		expect(await run.exited).toBe(0)
	})

	it('hands the volume over, also one that an earlier start handed over by half, and follows no link out of it', async () => {
		await mkdir(container.path('volume/postgresql-16/base'), { recursive: true })
		await writeFile(container.path('volume/postgresql-16/base/1'), '')
		await writeFile(container.path('elsewhere'), '')
		await symlink(container.path('elsewhere'), container.path('volume/link'))
		await chown(container.path('volume'), OTHER_USER.uid, OTHER_USER.gid)
		await chown(container.path('volume/postgresql-16'), OTHER_USER.uid, 0)
		const run = container.run('entrypoint.sh', plain)
		await container.began('node')
		for (const path of ['volume', 'volume/postgresql-16', 'volume/postgresql-16/base', 'volume/postgresql-16/base/1', 'volume/link']) {
			expect(await ownerOf(path), path).toEqual({ uid: OTHER_USER.uid, gid: OTHER_USER.gid })
		}
		expect(await ownerOf('elsewhere')).toEqual({ uid: 0, gid: 0 })
		run.process.kill('SIGTERM')
		await run.exited
	})

	it('makes a volume that is not there', async () => {
		container.run('entrypoint.sh', plain)
		await container.began('node')
		expect(await ownerOf('volume')).toEqual({ uid: OTHER_USER.uid, gid: OTHER_USER.gid })
	})

	it('refuses the root folder as the volume, an unknown user and root, and starts nothing', async () => {
		for (const wrong of [{ APP_PERSISTENT_STORAGE: '//' }, { SIPCALL_USER: 'nobody-of-that-name' }, { SIPCALL_USER: 'root' }]) {
			const run = container.run('entrypoint.sh', { ...plain, ...wrong })
			expect(await run.exited).toBe(73)
			expect(run.output()).toMatch(/^sipcall: /m)
		}
		expect(await container.read('order')).toBe('')
	})

	it('starts, stops and starts again: without certificates at first, with them afterwards', async () => {
		const first = container.run('entrypoint.sh', harp)
		await container.began('frpc')
		await container.began('node')
		expect(await container.read('frpc.toml')).not.toContain('/certs')
		first.process.kill('SIGTERM')
		expect(await first.exited).toBe(0)
		await putCertificates()
		for (let start = 2; start <= 3; start++) {
			await container.forget()
			const next = container.run('entrypoint.sh', harp)
			await container.began('frpc')
			await container.began('node')
			expect(await container.read('frpc.toml')).toContain('transport.tls.serverName = "harp.nc"')
			expect(await ownerOf('run/sipcall/frp/client.key')).toEqual({ uid: OTHER_USER.uid, gid: OTHER_USER.gid })
			next.process.kill('SIGTERM')
			expect(await next.exited).toBe(0)
		}
	})

	it('comes up again after kill -9', async () => {
		container.run('entrypoint.sh', harp)
		await container.began('frpc')
		await container.began('node')
		await writeFile(container.path('tmp/exapp.sock'), '')
		await container.kill()
		await container.forget()
		const next = container.run('entrypoint.sh', harp)
		await container.began('frpc')
		await container.began('node')
		await expect(lstat(container.path('tmp/exapp.sock'))).rejects.toThrow('ENOENT')
		next.process.kill('SIGTERM')
		expect(await next.exited).toBe(0)
	})
})

describe('the entry point as anybody else', () => {
	const as = IS_ROOT ? OTHER_USER : undefined

	it('runs the server as whoever started it, and touches no owner', async () => {
		await mkdir(container.path('volume'))
		const before = await ownerOf('volume')
		const run = container.run('entrypoint.sh', plain, as)
		await container.began('node')
		expect(await container.read('node.status')).toMatch(new RegExp(`^Uid:(\\s+${as?.uid ?? process.getuid?.()}){4}$`, 'm'))
		expect(await ownerOf('volume')).toEqual(before)
		run.process.kill('SIGTERM')
		expect(await run.exited).toBe(0)
	})

	it('says which folder it may not make', async () => {
		await rm(container.path('run'), { recursive: true })
		await writeFile(container.path('run'), '')
		const run = container.run('entrypoint.sh', plain, as)
		expect(await run.exited).toBe(73)
		expect(run.output()).toContain(container.path('run/sipcall'))
	})
})

describe('frpc', () => {
	const as = IS_ROOT ? OTHER_USER : undefined

	it('is not started without HP_SHARED_KEY', async () => {
		const run = container.run('entrypoint.sh', { ...plain, HP_SHARED_KEY: '' }, as)
		await container.began('node')
		run.process.kill('SIGTERM')
		await run.exited
		expect(await container.read('order')).toBe('node began\nnode TERM\n')
	})

	it.skipIf(!IS_ROOT)('is told where HaRP is, whom to trust, and that the app is behind its socket', async () => {
		await putCertificates()
		container.run('entrypoint.sh', harp)
		await container.began('frpc')
		const folder = container.path('run/sipcall/frp')
		expect(await container.read('frpc.toml')).toBe([
			'serverAddr = "harp.example"',
			'serverPort = 8782',
			'loginFailExit = false',
			'transport.tls.enable = true',
			`transport.tls.certFile = "${folder}/client.crt"`,
			`transport.tls.keyFile = "${folder}/client.key"`,
			`transport.tls.trustedCaFile = "${folder}/ca.crt"`,
			'transport.tls.serverName = "harp.nc"',
			'metadatas.token = "key \\"with\\\\quotes\\" and \\u007B\\u007B braces \\u007D\\u007D"',
			'',
			'[[proxies]]',
			'name = "sipcall"',
			'type = "tcp"',
			'remotePort = 23000',
			'[proxies.plugin]',
			'type = "unix_domain_socket"',
			'unixPath = "/tmp/exapp.sock"',
			'',
		].join('\n'))
	})

	it.skipIf(!IS_ROOT)('takes a folder of certificates that is not complete for none', async () => {
		await putCertificates(['ca.crt'])
		container.run('entrypoint.sh', harp)
		await container.began('frpc')
		expect(await container.read('frpc.toml')).not.toContain('certFile')
	})

	it('sees no secret but the one in its file, which its user alone can read; nothing prints one', async () => {
		const run = container.run('entrypoint.sh', harp, as)
		await container.began('frpc')
		await container.began('node')
		const told = [await container.read('frpc.env'), await container.read('frpc.args'), await container.read('node.args'), run.output()].join('\n')
		expect(told).not.toContain(SECRET)
		expect(told).not.toContain('key "with')
		const file = await lstat(container.path('run/sipcall/frpc.toml'))
		expect(file.mode & 0o777).toBe(0o600)
		const folder = await lstat(container.path('run/sipcall'))
		expect(folder.mode & 0o777).toBe(0o700)
	})

	it('needs all that AppAPI sets: what is missing or broken is named without its value', async () => {
		for (const wrong of [{ HP_FRP_PORT: '' }, { HP_FRP_PORT: '8782\nloginFailExit = true' }, { APP_PORT: 'x' }, { HP_FRP_ADDRESS: '' }, { HP_SHARED_KEY: `${KEY}\nsecond line` }]) {
			const run = container.run('entrypoint.sh', { ...harp, ...wrong }, as)
			expect(await run.exited).toBe(78)
			expect(run.output()).toMatch(/HP_FRP_PORT|HP_FRP_ADDRESS/)
			expect(run.output()).not.toContain('key "with')
		}
		expect(await container.read('order')).toBe('')
	})
})

describe('the supervision', () => {
	const as = IS_ROOT ? OTHER_USER : undefined

	it('passes TERM on to the server first, to frpc last, and ends with the server’s status', async () => {
		await writeFile(container.path('seen/node.term'), '5')
		const run = container.run('entrypoint.sh', harp, as)
		await container.began('frpc')
		await container.began('node')
		run.process.kill('SIGTERM')
		expect(await run.exited).toBe(5)
		expect((await container.read('order')).split('\n').slice(2, 4)).toEqual(['node TERM', 'frpc TERM'])
		expect(run.output()).toBe('')
	})

	it('ends everything with the server’s status when the server dies', async () => {
		const run = container.run('entrypoint.sh', harp, as)
		await container.began('frpc')
		await container.began('node')
		await container.end('node', 78)
		expect(await run.exited).toBe(78)
		expect(run.output()).toContain('The server ended with status 78')
		expect(await container.read('order')).toContain('frpc TERM')
		await container.nobodyRuns()
	})

	it('ends everything with status 1 when frpc dies, the server in order', async () => {
		const run = container.run('entrypoint.sh', harp, as)
		await container.began('node')
		process.kill(await container.began('frpc'), 'SIGKILL')
		expect(await run.exited).toBe(1)
		expect(run.output()).toContain('frpc ended with status 137')
		expect(await container.read('order')).toContain('node TERM')
	})

	it('ends also when a part cannot be started at all, while the other is still starting, in 20 tries', async () => {
		await rm(container.path('bin/frpc'))
		for (let tries = 0; tries < 20; tries++) {
			const run = container.run('entrypoint.sh', harp, as)
			expect(await run.exited).toBe(1)
			expect(run.output()).toContain('frpc ended with status 127')
			await container.nobodyRuns()
		}
	})

	it('ends frpc by force when it does not listen', async () => {
		const run = container.run('entrypoint.sh', harp, as)
		const frpc = await container.began('frpc')
		await container.began('node')
		process.kill(frpc, 'SIGSTOP')
		run.process.kill('SIGTERM')
		expect(await run.exited).toBe(0)
		await container.nobodyRuns()
	})

	it('leaves nobody behind, however early TERM comes, in 40 tries', async () => {
		await makeRunFolder()
		for (let tries = 0; tries < 40; tries++) {
			await container.forget()
			const run = container.run('supervise.sh', harp, as)
			// Each try a little later: so many reads of a file that is not there.
			for (let reads = 0; reads < tries * 4; reads++) {
				await container.read('nothing')
			}
			run.process.kill('SIGTERM')
			await run.exited
			await container.nobodyRuns()
		}
	})
})
