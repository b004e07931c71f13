// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The image cannot be built by the tests: so its description is read, and held to the rules that it must keep.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')

interface Instruction {
	name: string
	/** Continued lines as one. */
	value: string
	/** Counted from 0. */
	stage: number
}

function parse(text: string): Instruction[] {
	const lines = text.split('\n').filter((line) => !/^\s*#/.test(line)).join('\n').replaceAll(/\s*\\\n\s*/g, ' ').split('\n').filter((line) => line.trim() !== '')
	let stage = -1
	return lines.map((line) => {
		const [, name = '', value = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
		stage += Number(name === 'FROM')
		return { name, value, stage }
	})
}

const instructions = parse(read('Dockerfile'))
const all = (name: string) => instructions.filter((instruction) => instruction.name === name)
const last = Math.max(...instructions.map(({ stage }) => stage))
const inImage = (name: string) => all(name).filter(({ stage }) => stage === last)

/** The paths that a COPY takes from the checkout. */
const copied = all('COPY').filter(({ value }) => !value.startsWith('--from=')).flatMap(({ value }) => value.split(/\s+/).slice(0, -1))

describe('the Dockerfile', () => {
	it('holds only instructions that are known', () => {
		expect(instructions.filter(({ name }) => !['FROM', 'ARG', 'LABEL', 'RUN', 'WORKDIR', 'COPY', 'ENV', 'ENTRYPOINT', 'HEALTHCHECK'].includes(name))).toEqual([])
		expect(instructions[0]?.name).toBe('FROM')
	})

	it('begins every stage with a base whose tag names a version, in the image that of Node 24 on Debian 12', () => {
		const bases = all('FROM').map(({ value }) => value.replace(/^--platform=\S+ /, '').split(' ')[0] ?? '')
		expect(bases.filter((base) => !/^[\w./-]+:(?!latest)[\w.-]*\d[\w.-]*$/.test(base))).toEqual([])
		expect(bases.at(-1)).toBe('node:24-bookworm-slim')
		expect(read('.nvmrc').trim()).toBe('24')
	})

	it('builds for the target’s architecture in the last stage alone; the others make what is the same everywhere', () => {
		for (const { value, stage } of all('FROM')) {
			expect(value.startsWith('--platform=$BUILDPLATFORM ')).toBe(stage !== last)
		}
	})

	it('copies only what is there, what .dockerignore lets through, and from stages that exist', () => {
		expect(copied.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([])
		const allowed = read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1))
		expect(copied.filter((file) => !allowed.includes(file))).toEqual([])
		expect(read('.dockerignore').split('\n')).toContain('*')
		const stages = all('FROM').map(({ value }) => / AS (\S+)$/.exec(value)?.[1])
		expect(all('COPY').flatMap(({ value }) => /^--from=(\S+)/.exec(value)?.[1] ?? []).filter((stage) => !stages.includes(stage))).toEqual([])
	})

	it('puts the server’s sources and the page where the entry point and the server look for them', () => {
		const value = inImage('COPY').map((instruction) => instruction.value)
		expect(inImage('WORKDIR').map((instruction) => instruction.value)).toEqual(['/app'])
		expect(value).toEqual(expect.arrayContaining(['lib lib', 'ex_app/container ex_app/container', 'ex_app/img ex_app/img', '--from=page /build/ex_app/js ex_app/js', '--from=page /build/ex_app/css ex_app/css', '--from=packages /build/node_modules node_modules']))
	})

	it('installs the locked packages without running their scripts, in the image without development and optional ones', () => {
		const installs = all('RUN').filter(({ value }) => value.includes('npm '))
		expect(installs.filter(({ value }) => /npm (?:i|install)\b/.test(value))).toEqual([])
		expect(installs.filter(({ value }) => value.includes('npm ci') && !value.includes('--ignore-scripts'))).toEqual([])
		expect(installs.some(({ value }) => value.includes('--omit=dev --omit=optional'))).toBe(true)
	})

	it('downloads frpc alone from outside the packages, by https, and checks its sum on both architectures', () => {
		const [download, ...others] = all('RUN').filter(({ value }) => /\b(?:curl|wget)\b.*https?:/.test(value)).map(({ value }) => value)
		expect(others).toEqual([])
		expect(download).toMatch(/sha256sum --check --strict/)
		expect(download).toMatch(/\*\) echo "No checksum[^;]*; exit 1/)
		for (const architecture of ['AMD64', 'ARM64']) {
			expect(all('ARG').map(({ value }) => value).filter((value) => new RegExp(`^FRP_SHA256_${architecture}=[0-9a-f]{64}$`).test(value))).toHaveLength(1)
			expect(download).toContain(`${architecture.toLowerCase()}) sum=$FRP_SHA256_${architecture} ;;`)
		}
		expect(all('ADD')).toEqual([])
		expect(instructions.filter(({ value }) => /http:\/\//.test(value))).toEqual([])
	})

	it('takes PostgreSQL 16 from its own repository with a key that is named, and makes no cluster', () => {
		const run = inImage('RUN').map(({ value }) => value).join('\n')
		expect(run).toContain('[signed-by=/usr/share/postgresql-common/pgdg/apt.postgresql.org.asc] https://apt.postgresql.org/pub/repos/apt bookworm-pgdg main')
		expect(run).toMatch(/create_main_cluster = false.*install[^&]* postgresql-16\b/)
		expect(run).not.toMatch(/trusted=yes|allow-unauthenticated|curl[^|]*\|/)
		expect(read('lib/embedded/postgres-binaries.ts')).toContain('\'/usr/lib/postgresql/16/bin\'')
	})

	it('leaves no package lists behind, and installs without recommended packages', () => {
		for (const { value } of all('RUN').filter((instruction) => instruction.value.includes('apt-get install'))) {
			expect(value).toMatch(/rm -rf \/var\/lib\/apt\/lists\/\*$/)
			expect(value.match(/apt-get install --yes --no-install-recommends /g)?.length).toBe(value.match(/apt-get install /g)?.length)
			expect(value).toMatch(/^apt-get update/)
		}
	})

	it('starts as root through tini and the entry point, which drops the rights to a user with a fixed id', () => {
		expect(all('USER')).toEqual([])
		expect(inImage('ENTRYPOINT').map(({ value }) => JSON.parse(value) as unknown)).toEqual([['/usr/bin/tini', '--', '/app/ex_app/container/entrypoint.sh']])
		expect(inImage('RUN').some(({ value }) => /useradd [^&]*--uid 900 [^&]*\bsipcall\b/.test(value))).toBe(true)
		expect(read('ex_app/container/entrypoint.sh')).toMatch(/^exec setpriv --reuid "\$uid" --regid "\$gid" --init-groups .*--no-new-privs/m)
	})

	it('is healthy soon: HaRP gives it 90 seconds', () => {
		const [check] = inImage('HEALTHCHECK')
		expect(check?.value).toMatch(/--interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 CMD \["\/app\/ex_app\/container\/healthcheck\.sh"\]$/)
	})

	it('holds no secret, and tells Node where Nextcloud’s certificate authorities are', () => {
		const values = all('ENV').map(({ value }) => value).join(' ')
		expect(values).toContain('NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt')
		expect([...all('ENV'), ...all('ARG')].filter(({ value }) => /secret|password|token|_key/i.test(value))).toEqual([])
	})
})

describe('the container’s scripts', () => {
	const folder = path.join(ROOT, 'ex_app/container')
	const scripts = readdirSync(folder).map((file) => path.join(folder, file))
	const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0

	it('can be run, and are plain sh', () => {
		for (const script of scripts) {
			expect(statSync(script).mode & 0o111, script).toBe(0o111)
			expect(readFileSync(script, 'utf8')).toMatch(/^#!\/bin\/sh\n# SPDX-FileCopyrightText/)
			expect(spawnSync('sh', ['-n', script]).status, script).toBe(0)
		}
	})

	it.skipIf(!hasShellcheck)('satisfy shellcheck', () => {
		const { stdout } = spawnSync('shellcheck', ['--shell=sh', ...scripts, path.join(ROOT, 'scripts/appstore.sh'), path.join(ROOT, 'scripts/ensure-tools.sh')], { encoding: 'utf8' })
		expect(stdout).toBe('')
	})
})
