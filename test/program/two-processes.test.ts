import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { book, mark, untilGo, workspace } from './program.ts'

/** A step that stays until a file comes. */
const stays = (id: string, more = '') => mark(id, { rest: untilGo, more })

const waits = book(
  'waits',
  `steps:\n  - id: sure\n    action: human.confirm\n    with: { message: Go on? }\n${stays('long')}${mark('after')}`,
)

test('a run that is being walked is not resumed by a second process, which is told at once and changes nothing', async () => {
  const space = workspace()
  space.write('waits.yaml', waits)
  expect((await space.run(['exec', 'waits.yaml'])).code).toBe(6)
  const first = space.start(['resume', 'last', '--answer', 'sure=yes'])
  await first.until(() => space.effects().includes('mark long'))
  const before = space.lines()
  const second = await space.run(['resume', 'last', '--answer', 'sure=yes'])
  expect(second.code, second.all).toBe(2)
  expect(second.stderr).toContain(
    `the run \`${basename(space.last())}\` is being written by another process (process ${first.child.pid})`,
  )
  expect(space.lines()).toEqual(before)
  expect((await space.run(['runs'])).stdout).toContain('running')
  space.write('go', '')
  expect((await first.ended).code).toBe(0)
  expect(space.effects()).toEqual(['mark long', 'mark after'])
  expect((await space.run(['verify', 'last'])).code).toBe(0)
  expect(existsSync(join(space.last(), 'writer'))).toBe(false)
})

test('many resumes at once: one goes on, the others are refused, and the transcript stays whole', async () => {
  const space = workspace()
  space.write('waits.yaml', waits)
  space.write('go', '')
  expect((await space.run(['exec', 'waits.yaml'])).code).toBe(6)
  const all = await Promise.all(Array.from({ length: 5 }, () => space.run(['resume', 'last', '--answer', 'sure=yes'])))
  expect(all.filter(({ code }) => code === 0).length, all.map((each) => each.all).join('\n')).toBe(1)
  for (const { code, all: said } of all.filter((each) => each.code !== 0)) {
    expect(code, said).toBe(2)
    expect(said).toMatch(/being written by another process|is done: there is nothing to resume/)
  }
  expect(space.effects()).toEqual(['mark long', 'mark after'])
  expect((await space.run(['verify', 'last'])).code).toBe(0)
})

test('what a dead writer left behind, and a number that another process has now, do not keep a run locked', async () => {
  for (const left of ['999999999 12345\n', `${process.pid} 1\n`, '', 'nonsense']) {
    const space = workspace()
    space.write('waits.yaml', waits)
    space.write('go', '')
    expect((await space.run(['exec', 'waits.yaml'])).code).toBe(6)
    writeFileSync(join(space.last(), 'writer'), left)
    const { code, all } = await space.run(['resume', 'last', '--answer', 'sure=yes'])
    expect(code, `${JSON.stringify(left)}: ${all}`).toBe(0)
    expect(readdirSync(space.last()).filter((name) => name.startsWith('writer'))).toEqual([])
  }
})

const locked = (name: string, body: string) => book(name, `locks: [compute/cmp1]\nsteps:\n${body}`)

test('a second run that wants the same lock fails at once, says who holds it, and changes nothing', async () => {
  const space = workspace()
  space.write('holder.yaml', locked('holder', stays('held')))
  space.write('other.yaml', locked('other', mark('other')))
  const first = space.start(['exec', 'holder.yaml'])
  await first.until(() => space.effects().includes('mark held'))
  const holder = basename(space.last())
  const second = await space.run(['exec', 'other.yaml'])
  expect(second.code, second.all).toBe(1)
  expect(second.all).toContain(`\`compute/cmp1\` is locked by the run ${holder}`)
  expect(space.effects()).toEqual(['mark held'])
  space.write('go', '')
  expect((await first.ended).code).toBe(0)
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(0)
})

/** A run that waits for a person and holds a lock that `other.yaml` wants too. */
async function parkedHolder() {
  const space = workspace()
  space.write(
    'holder.yaml',
    locked('holder', '  - id: sure\n    action: human.confirm\n    with: { message: Go on? }\n'),
  )
  space.write('other.yaml', locked('other', mark('other')))
  expect((await space.run(['exec', 'holder.yaml'])).code).toBe(6)
  return { space, holder: basename(space.last()) }
}

test('a parked run keeps its lock, and the resume that ends it frees it', async () => {
  const { space, holder } = await parkedHolder()
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(1)
  expect((await space.run(['resume', holder, '--answer', 'sure=no'])).code).toBe(3)
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(0)
})

test('a run that died between its last line and its lock keeps it until somebody resumes it, who learns that it is done', async () => {
  const { space, holder } = await parkedHolder()
  const locks = join(space.folder, 'state', 'runbook', 'locks')
  const kept = readdirSync(locks).map((name) => ({ path: join(locks, name), text: readFileSync(join(locks, name)) }))
  expect((await space.run(['resume', holder, '--answer', 'sure=yes'])).code).toBe(0)
  for (const { path, text } of kept) writeFileSync(path, text)
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(1)
  const over = await space.run(['resume', holder])
  expect(over.code, over.all).toBe(2)
  expect(over.all).toContain('is done: there is nothing to resume')
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(0)
})

test('a rehearsal that is parked keeps nobody from the real thing', async () => {
  const space = workspace()
  space.write(
    'rehearsed.yaml',
    locked('rehearsed', '  - { id: sure, action: human.confirm, with: { message: Go on? } }\n'),
  )
  space.write('real.yaml', locked('real', mark('real')))
  expect((await space.run(['exec', 'rehearsed.yaml', '--rehearse', 'healthy'])).code).toBe(6)
  const { code, all } = await space.run(['exec', 'real.yaml'])
  expect({ code, effects: space.effects() }, all).toEqual({ code: 0, effects: ['mark real'] })
})

test('a run that was killed keeps its lock until a resume brings it to its end', async () => {
  const space = workspace()
  space.write('holder.yaml', locked('holder', stays('held')))
  space.write('other.yaml', locked('other', mark('other')))
  const first = space.start(['exec', 'holder.yaml'])
  await first.until(() => space.effects().includes('mark held'))
  first.child.kill('SIGKILL')
  await first.ended
  const holder = basename(space.last())
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(1)
  const resumed = await space.run(['resume', holder])
  expect(resumed.code, resumed.all).toBe(5)
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(1)
  expect((await space.run(['resume', holder, '--answer', 'held!doubt=done'])).code).toBe(0)
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(0)
  expect(space.effects()).toEqual(['mark held', 'mark other'])
})

test('the lock of another run is not freed by one that never got it', async () => {
  const space = workspace()
  space.write(
    'holder.yaml',
    locked('holder', '  - id: sure\n    action: human.confirm\n    with: { message: Go on? }\n'),
  )
  space.write('other.yaml', book('other', `locks: [aaa, compute/cmp1]\nsteps:\n${mark('other')}`))
  space.write('third.yaml', book('third', `locks: [aaa]\nsteps:\n${mark('third')}`))
  expect((await space.run(['exec', 'holder.yaml'])).code).toBe(6)
  expect((await space.run(['exec', 'other.yaml'])).code).toBe(1)
  // all or none: what it took before it was refused is free again
  expect((await space.run(['exec', 'third.yaml'])).code).toBe(0)
  const locks = readdirSync(join(space.folder, 'state', 'runbook', 'locks'))
  expect(locks.filter((name) => name.endsWith('.lock'))).toHaveLength(1)
  expect(readFileSync(join(space.folder, 'state', 'runbook', 'locks', locks[0] ?? ''), 'utf8')).toContain(
    'compute/cmp1',
  )
})
