import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { book, type Workspace, workspace } from './program.ts'

const root = process.getuid?.() === 0
if (!root) process.stderr.write('not root: what happens on a full disk is not tried\n')

/** A workspace whose runs are on a disk of so many KiB. */
function onSmallDisk(size: number): Workspace & { resize(size: number): void } {
  const space = workspace()
  mkdirSync(space.runs)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}k`, 'tmpfs', space.runs])
  onTestFinished(() => void execFileSync('umount', ['-l', space.runs]))
  return { ...space, resize: (kib) => void execFileSync('mount', ['-o', `remount,size=${kib}k`, space.runs]) }
}

const names = Array.from({ length: 12 }, (_, index) => `s${index}`)

/** Steps that leave a mark outside the disk, and say so much that the transcript fills it. */
const talkative = (characters: number) =>
  book(
    'talkative',
    `steps:\n${names
      .map(
        (name) => `  - id: ${name}
    action: local.script
    with: { script: 'echo "mark ${name}" >> "$LOG"; head -c ${characters} /dev/zero | tr "\\0" x' }
`,
      )
      .join('')}`,
  )

for (const characters of [300, 2_500, 6_000, 70_000]) {
  test.runIf(root)(
    `on a full disk nothing begins that was not written down, and what was done is not done again (${characters} characters a step)`,
    async () => {
      const space = onSmallDisk({ 300: 24, 2500: 48, 6000: 72, 70000: 256 }[characters] ?? 0)
      space.write('talkative.yaml', talkative(characters))
      const full = await space.run(['exec', 'talkative.yaml'])
      expect(full.code, full.all).toBe(5)
      expect(full.stderr).toContain('the transcript cannot be written: ENOSPC')
      expect(full.stderr).toContain('make room')
      expect(full.stderr).not.toMatch(/ {4}at .*:\d+:\d+/)
      const done = space.effects()
      expect(done.length).toBeGreaterThan(0)
      expect(done.length).toBeLessThan(names.length)
      const verified = await space.run(['verify', 'last'])
      expect(verified.code, verified.all).toBe(0)
      const text = space.lines()
      const began = text.filter((line) => line.includes('"type":"step.began"'))
      expect(began.length).toBeGreaterThanOrEqual(done.length)
      space.resize(8_192)
      let { code, all } = await space.run(['resume', 'last'])
      const doubt = /did `(s\d+)`/.exec(all)?.[1]
      if (doubt !== undefined) {
        expect(code, all).toBe(5)
        expect(space.effects()).toEqual(done)
        const happened = done.includes(`mark ${doubt}`) ? 'done' : 'again'
        ;({ code, all } = await space.run(['resume', 'last', '--answer', `${doubt}!doubt=${happened}`]))
      }
      expect(code, all).toBe(0)
      expect(space.effects()).toEqual(names.map((name) => `mark ${name}`))
      expect((await space.run(['verify', 'last'])).code).toBe(0)
    },
  )
}

test.runIf(root)(
  'a disk that fills up while a step looks again and again stops the run, and does not break it',
  async () => {
    const space = onSmallDisk(72)
    space.write(
      'polls.yaml',
      book(
        'polls',
        `steps:
  - id: wait
    action: local.script
    effect: read
    with: { script: 'head -c 9000 /dev/zero | tr "\\0" x; [ -e ready ] && echo ready; true' }
    until: { done: result.stdout.contains('ready'), failed: false, every: 20ms, timeout: 5m }
  - id: after
    action: local.script
    with: { script: 'echo "mark after" >> "$LOG"' }
`,
      ),
    )
    const { code, all, stderr } = await space.run(['exec', 'polls.yaml'])
    expect(code, all).toBe(5)
    expect(stderr).toContain('the transcript cannot be written: ENOSPC')
    expect(stderr).not.toMatch(/ {4}at .*:\d+:\d+/)
    space.resize(8_192)
    space.write('ready', '')
    const resumed = await space.run(['resume', 'last'])
    expect(resumed.code, resumed.all).toBe(0)
    expect(space.effects()).toEqual(['mark after'])
  },
)

test.runIf(root)('a disk that is full before the first line: told at once, nothing begun, nothing left', async () => {
  for (const pages of [0, 1, 2]) {
    const space = onSmallDisk(64)
    space.write('talkative.yaml', talkative(300))
    writeFileSync(join(space.runs, 'ballast'), Buffer.alloc(64 * 1024 - pages * 4096))
    const { code, all, stderr } = await space.run(['exec', 'talkative.yaml'])
    expect(code, all).toBe(2)
    expect(stderr).toContain('runs cannot be kept')
    expect(stderr).toContain('the disk is full')
    expect(space.effects()).toEqual([])
    expect(readdirSync(space.runs)).toEqual(['ballast'])
    rmSync(join(space.runs, 'ballast'))
  }
})

test('a limit on the size of files stops the run as a full disk does', async () => {
  const space = workspace()
  space.write('talkative.yaml', talkative(6_000))
  const { all } = await space.shell("trap '' XFSZ; ulimit -f 40; runbook exec talkative.yaml").ended
  expect(all).toMatch(/the transcript cannot be written|runs cannot be kept/)
  const done = space.effects()
  const resumed = await space.run(['resume', 'last'])
  const doubt = /did `(s\d+)`/.exec(resumed.all)?.[1]
  if (doubt === undefined) expect(resumed.code, resumed.all).toBe(0)
  else {
    expect(space.effects()).toEqual(done)
    expect(resumed.code, resumed.all).toBe(5)
    expect((await space.run(['resume', 'last', '--answer', `${doubt}!doubt=done`])).code).toBe(0)
  }
  expect(space.effects()).toEqual(names.map((name) => `mark ${name}`))
})

test('a place for runs that cannot be used is told before anything begins', async () => {
  const space = workspace()
  space.write('talkative.yaml', talkative(10))
  space.write('file', '')
  for (const [runs, why] of [
    ['file', 'it is a file'],
    ['file/runs', 'a part of its path is a file'],
    ['/proc/runs', 'runs cannot be kept in `/proc/runs`'],
  ]) {
    const { code, stderr } = await space.run(['exec', 'talkative.yaml', '--runs', runs ?? ''])
    expect(code, stderr).toBe(2)
    expect(stderr).toContain(why)
    expect(stderr).toContain('--runs')
    expect(space.effects()).toEqual([])
  }
  // one that is not there yet is made
  expect((await space.run(['exec', 'talkative.yaml', '--runs', 'new/runs'])).code).toBe(0)
})

test.runIf(root)('a place for runs that is read-only is told before anything begins', async () => {
  const space = onSmallDisk(64)
  space.write('talkative.yaml', talkative(10))
  execFileSync('mount', ['-o', 'remount,ro', space.runs])
  const { code, stderr } = await space.run(['exec', 'talkative.yaml'])
  expect(code, stderr).toBe(2)
  expect(stderr).toContain('the file system is read-only')
  expect(space.effects()).toEqual([])
})

test.skipIf(root)('a place for runs without permission is told before anything begins', async () => {
  const space = workspace()
  space.write('talkative.yaml', talkative(10))
  mkdirSync(space.runs)
  chmodSync(space.runs, 0o500)
  const { code, stderr } = await space.run(['exec', 'talkative.yaml'])
  expect(code, stderr).toBe(2)
  expect(stderr).toContain('permission denied')
  expect(space.effects()).toEqual([])
})
