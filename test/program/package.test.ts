import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { program, workspace } from './program.ts'

/** The package as it would be published: the files that `package.json` names, around the program that was just built. */
function packed(folder: string): string {
  const copy = join(folder, 'package')
  mkdirSync(copy)
  for (const name of ['package.json', 'README.md', 'LICENSE', 'runbooks', 'schemas', 'docs', 'simulator']) {
    try {
      cpSync(resolve(name), join(copy, name), { recursive: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  cpSync(dirname(program), join(copy, 'dist'), { recursive: true })
  const npm = (...words: string[]) =>
    execFileSync('npm', words, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const [{ filename, files }] = JSON.parse(npm('pack', '--ignore-scripts', '--json', '--pack-destination', folder)) as [
    { filename: string; files: { path: string }[] },
  ]
  const paths = files.map(({ path }) => path)
  for (const wanted of ['dist/cli.js', 'schemas/runbook.schema.json', 'package.json']) expect(paths).toContain(wanted)
  expect(paths.some((path) => path.startsWith('simulator/scenarios/'))).toBe(true)
  expect(paths.filter((path) => path.startsWith('test/') || path.endsWith('.test.ts'))).toEqual([])
  return join(folder, filename)
}

test('the package, installed into an empty folder, checks, begins and runs a runbook', async () => {
  const space = workspace()
  const tarball = packed(space.folder)
  const home = join(space.folder, 'elsewhere')
  const installed = join(home, 'node_modules', 'runbook')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components', '1'])
  const { bin, dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    bin: { runbook: string }
    dependencies: { [name: string]: string }
  }
  // what it needs besides itself is what it says it needs, with what that needs in turn
  for (const name of ['ssh2', 'asn1', 'bcrypt-pbkdf', 'safer-buffer', 'tweetnacl']) {
    symlinkSync(realpathSync(resolve('node_modules', name)), join(home, 'node_modules', name))
  }
  expect(Object.keys(dependencies)).toEqual(['ssh2'])
  mkdirSync(join(home, 'node_modules', '.bin'))
  symlinkSync(`../runbook/${bin.runbook}`, join(home, 'node_modules', '.bin', 'runbook'))
  const runbook = async (...words: string[]) => {
    const line = `cd '${home}' && npx --no-install runbook ${words.join(' ')}`
    const ended = await space.shell(line, {
      npm_config_update_notifier: 'false',
      npm_config_cache: join(space.folder, 'npm'),
    }).ended
    expect(ended.code, ended.all).toBe(0)
    return ended.stdout
  }
  expect(await runbook('--version')).toBe(`${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`)
  const names = readdirSync('runbooks')
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -5))
  const listed = await runbook('list')
  for (const name of names) expect(listed).toContain(name)
  expect(await runbook('init', 'mine.yaml')).toContain('mine.yaml')
  await runbook('check', 'mine.yaml')
  expect(await runbook('exec', 'mine.yaml', '--yes')).toContain('succeeded')
  writeFileSync(
    join(home, 'ssh.yaml'),
    'apiVersion: runbook/v1\nname: ssh\ntitle: t\nsteps:\n  - { id: one, action: ssh.run, targets: all, effect: read, with: { command: uptime } }\n',
  )
  expect(await runbook('exec', 'ssh.yaml', '--rehearse', 'healthy')).toContain('succeeded')
})

test('what a plugin needs to read its parameters is there to be imported', async () => {
  const api = (await import(join(dirname(program), 'api.js'))) as { parseDuration(text: string): number | undefined }
  expect(api.parseDuration('1h30m')).toBe(5_400_000)
  expect(api.parseDuration('soon')).toBeUndefined()
})
