import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { atTerminal } from './at-terminal.ts'
import { book, mark, type Workspace, workspace } from './program.ts'

const asking = (question: string) => book('asking', `steps:\n${mark('one')}  - id: ask\n${question}${mark('two')}`)

const confirm = asking('    action: human.confirm\n    with: { message: Go on? }\n')
const phrase = asking('    action: human.confirm\n    with: { message: Reboot cmp1?, phrase: cmp1 }\n')
const choice = asking(`    action: human.choose
    with: { message: What now?, options: [ { value: wait, label: wait a while }, { value: leave, label: leave it } ] }
`)
const number = asking(
  '    action: human.input\n    with: { message: How many?, schema: { type: integer, minimum: 1, maximum: 9 } }\n',
)

const undo = `rollback:\n  - id: undo\n    action: local.script\n    with: { script: 'echo "mark undo" >> "$LOG"' }`
const undone = book(
  'asking',
  `steps:\n${mark('one', { more: undo })}  - id: ask\n    action: human.confirm\n    with: { message: Go on? }\n${mark('two')}`,
)

/** A run at a terminal that has said something, and listens to what is typed. */
async function askedAtTerminal(text: string, shown: string) {
  const space = workspace()
  space.write('asking.yaml', text)
  const run = atTerminal(space, ['exec', 'asking.yaml'])
  await run.until(shown)
  await new Promise((done) => setTimeout(done, 200))
  return { space, run }
}

async function exec(
  text: string,
  ...args: string[]
): Promise<Workspace & { readonly code: number | null; readonly all: string }> {
  const space = workspace()
  space.write('asking.yaml', text)
  const { code, all } = await space.run(['exec', 'asking.yaml', ...args])
  return { ...space, code, all }
}

test('answers may be given before they are asked, and are recorded with who gave them', async () => {
  const { code, all, effects, entries } = await exec(confirm, '--answer', 'ask=yes')
  expect(code, all).toBe(0)
  expect(effects()).toEqual(['mark one', 'mark two'])
  expect(entries().find(({ type }) => type === 'answered')).toMatchObject({
    key: 'ask',
    answer: { value: true, by: expect.stringMatching(/^\w+@\S+$/) },
  })
})

test('--yes says yes to a plain question, and the transcript says that it was --yes', async () => {
  const { code, all, effects, entries } = await exec(confirm, '--yes')
  expect(code, all).toBe(0)
  expect(effects()).toEqual(['mark one', 'mark two'])
  expect(JSON.stringify(entries().find(({ type }) => type === 'answered'))).toContain('(--yes)')
})

for (const [what, text] of [
  ['a phrase', phrase],
  ['a choice', choice],
  ['a value', number],
] as const) {
  test(`--yes does not answer a question for ${what}: the run waits`, async () => {
    const { code, all, effects } = await exec(text, '--yes')
    expect(code, all).toBe(6)
    expect(effects()).toEqual(['mark one'])
  })
}

test('--yes does not say what became of a step in doubt', async () => {
  const space = workspace()
  space.write('dies.yaml', book('dies', `steps:\n${mark('one', { rest: 'kill -9 $PPID; sleep 300' })}`))
  await space.run(['exec', 'dies.yaml'])
  const { code, all } = await space.run(['resume', 'last', '--yes'])
  expect(code, all).toBe(5)
  expect(space.effects()).toEqual(['mark one'])
})

test('a phrase has to be the phrase: no refuses, and a slip of the fingers leaves the question open', async () => {
  for (const [said, code] of [
    ['cmp1', 0],
    ['cmp2', 6],
    ['yes', 6],
    ['', 6],
    ['no', 3],
  ] as const) {
    const run = await exec(phrase, '--answer', `ask=${said}`)
    expect(run.code, run.all).toBe(code)
    expect(run.effects()).toEqual(code === 0 ? ['mark one', 'mark two'] : ['mark one'])
  }
})

test('an answer that does not fit is told and not taken: the question stays open', async () => {
  for (const [text, said, why] of [
    [confirm, 'perhaps', 'it is yes or no'],
    [choice, 'go', 'it is one of wait, leave'],
    [phrase, 'cmp9', 'it is the phrase'],
    [number, '12', 'it has to fit'],
    [number, 'many', 'it has to fit'],
  ] as const) {
    const { code, all, effects } = await exec(text, '--answer', `ask=${said}`)
    expect(code, all).toBe(6)
    expect(all).toContain(`the answer \`${said}\` to \`ask\` does not fit: ${why}`)
    expect(effects()).toEqual(['mark one'])
  }
})

test('an answer to a question that there is not is told before anything is begun', async () => {
  const { code, all, effects } = await exec(confirm, '--answer', 'one!dubt=done')
  expect(code, all).toBe(2)
  expect(all).toMatch(/nobody is asked `one!dubt`[\s\S]*did you mean `doubt`\?/)
  expect(effects()).toEqual([])
})

test('a value is what its schema says it is, and a choice is one of the options', async () => {
  const typed = await exec(number, '--answer', 'ask=7')
  expect(typed.code, typed.all).toBe(0)
  expect(typed.entries().find(({ type }) => type === 'answered')).toMatchObject({ answer: { value: 7 } })
  const chosen = await exec(choice, '--answer', 'ask=leave')
  expect(chosen.code, chosen.all).toBe(0)
})

test('a question with a time limit ends at its limit, also when nobody was there meanwhile', async () => {
  const space = workspace()
  space.write('asking.yaml', asking('    action: human.confirm\n    with: { message: Go on?, timeout: 1s }\n'))
  const first = await space.run(['exec', 'asking.yaml'])
  expect([3, 6]).toContain(first.code)
  await new Promise((done) => setTimeout(done, 1_100))
  if (first.code === 6) {
    const { code, all } = await space.run(['resume', 'last', '--answer', 'ask=yes'])
    expect(code, all).toBe(3)
    expect(all).toContain('nobody answered in time')
  }
  expect(space.effects()).toEqual(['mark one'])
})

test('at a terminal a phrase is typed, and the run goes on with who typed it', async () => {
  const space = workspace()
  space.write('asking.yaml', phrase)
  const run = atTerminal(space, ['exec', 'asking.yaml'])
  await run.until('type cmp1 to go on')
  expect(space.effects()).toEqual(['mark one'])
  run.type('cmp1\r')
  const { code, all } = await run.ended
  expect(code, all).toBe(0)
  expect(space.effects()).toEqual(['mark one', 'mark two'])
})

test('at a terminal a phrase that is mistyped is asked for again', async () => {
  const space = workspace()
  space.write('asking.yaml', phrase)
  const run = atTerminal(space, ['exec', 'asking.yaml'])
  await run.until('type cmp1 to go on, or no to stop')
  await new Promise((done) => setTimeout(done, 200))
  run.type('cmp9\r')
  await run.until('> type cmp1 to go on, or no to stop')
  run.type('\b1\r')
  const { code, all } = await run.ended
  expect(code, all).toBe(0)
  expect(space.effects()).toEqual(['mark one', 'mark two'])
})

test('at a terminal a value that does not fit is asked for again, and it is said what is wrong with it', async () => {
  const space = workspace()
  space.write('asking.yaml', number)
  const run = atTerminal(space, ['exec', 'asking.yaml'])
  await run.until('a whole number from 1 to 9')
  await new Promise((done) => setTimeout(done, 200))
  run.type('99\r')
  await run.until('it must be 9 or less')
  run.type('\b\b4\r')
  const { code, all } = await run.ended
  expect(code, all).toBe(0)
  expect(space.entries().find(({ type }) => type === 'answered')).toMatchObject({ answer: { value: 4 } })
})

test('at a terminal a no to a phrase, and a bare return to a yes-or-no question, are a no', async () => {
  for (const [text, typed, shown] of [
    [phrase, 'no\r', 'type cmp1'],
    [confirm, '\r', 'Go on?'],
  ] as const) {
    const { space, run } = await askedAtTerminal(text, shown)
    run.type(typed)
    const { code, all } = await run.ended
    expect(code, all).toBe(3)
    expect(space.effects()).toEqual(['mark one'])
  }
})

test('Ctrl-C at a question cancels the run: what was done is undone, the question is not answered', async () => {
  const { space, run } = await askedAtTerminal(undone, 'Go on?')
  run.type('\u0003')
  const { code, all } = await run.ended
  expect(code, all).toBe(130)
  expect(space.effects()).toEqual(['mark one', 'mark undo'])
  expect(space.entries().some(({ type }) => type === 'answered')).toBe(false)
  expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'cancelled' })
})

test('an end of input at a question is no answer, and not the end of the work: the run waits, also for a phrase', async () => {
  for (const text of [confirm, phrase, choice, number]) {
    const { space, run } = await askedAtTerminal(text, '? ')
    run.type('\u0004')
    const { code, all } = await run.ended
    expect(code, all).toBe(6)
    expect(space.effects()).toEqual(['mark one'])
    expect(space.entries().at(-1)?.type).toBe('run.parked')
  }
})

test('a secret is asked for where nobody gave it, and has to be one; whoever leaves there has begun nothing', async () => {
  const secret = book(
    'asking',
    `inputs: { word: { type: string, secret: true } }\nsteps:\n  - id: say\n    action: local.script\n    with: { script: 'echo "said $WORD" >> "$LOG"', env: { WORD: "{{ inputs.word }}" } }\n`,
  )
  for (const [typed, exit, said, effects] of [
    ['ab\r', 0, 'shorter than four characters', ['said abcdef']],
    ['\u0003', 130, 'nothing was begun', []],
    ['\u0004', 2, 'the input `word` is missing', []],
  ] as const) {
    const { space, run } = await askedAtTerminal(secret, 'word:')
    run.type(typed)
    await run.until(said)
    if (exit === 0) run.type('cdef\r')
    const { code, all } = await run.ended
    expect(code, all).toBe(exit)
    expect(all).not.toContain('this is a bug')
    expect(space.effects()).toEqual(effects)
  }
})

test('a terminal that is closed at a question is no answer: the run waits, and nothing is undone', async () => {
  const { space, run } = await askedAtTerminal(undone, 'Go on?')
  run.child.kill('SIGKILL')
  const last = () => space.entries().at(-1)?.type ?? ''
  while (!['run.parked', 'run.ended'].includes(last())) await new Promise((done) => setTimeout(done, 20))
  expect(last()).toBe('run.parked')
  expect(space.effects()).toEqual(['mark one'])
  const resumed = await space.run(['resume', 'last', '--answer', 'ask=yes'])
  expect(resumed.code, resumed.all).toBe(0)
  expect(space.effects()).toEqual(['mark one', 'mark two'])
})

test('whoever goes on at another terminal is shown the question with its table again', async () => {
  const space = workspace()
  const table = 'table: [ { server: web-1, becomes: moves }, { server: web-2, becomes: IS STOPPED } ]'
  const question = `    action: human.confirm\n    with: { message: Reboot cmp1?, phrase: cmp1, ${table} }\n`
  space.write('asking.yaml', asking(question))
  const parked = await space.run(['exec', 'asking.yaml'])
  expect(parked.code, parked.all).toBe(6)
  const run = atTerminal(space, ['resume', 'last'])
  await run.until('type cmp1 to go on')
  expect(stripVTControlCharacters(run.said())).toMatch(
    /question +ask +Reboot cmp1\?[\s\S]*web-1 +moves[\s\S]*web-2 +IS STOPPED/,
  )
  run.type('cmp1\r')
  const { code, all } = await run.ended
  expect(code, all).toBe(0)
  // it was asked once, and is in the transcript once
  expect(space.entries().filter(({ type }) => type === 'asked')).toHaveLength(1)
})

test('--step asks before each step: run it, skip it, stop here', async () => {
  const space = workspace()
  space.write('steps.yaml', book('steps', `steps:\n${mark('one')}${mark('two')}${mark('three')}${mark('four')}`))
  const waiting = await space.run(['exec', 'steps.yaml', '--step'])
  expect(waiting.code, waiting.all).toBe(6)
  expect(space.effects()).toEqual([])
  const { code, all } = await space.run([
    'resume',
    'last',
    ...['one=run', 'two=skip', 'three=run', 'four=stop'].flatMap((said) => ['--answer', said]),
  ])
  expect(code, all).toBe(3)
  expect(space.effects()).toEqual(['mark one', 'mark three'])
  expect(all).toContain('a person stopped the run here')
})

test('resume --step does not ask about what was done before', async () => {
  const space = workspace()
  space.write('asking.yaml', confirm)
  expect((await space.run(['exec', 'asking.yaml'])).code).toBe(6)
  const { code, all } = await space.run(['resume', 'last', '--step', '--answer', 'ask=yes'])
  expect(code, all).toBe(6)
  expect(all).toContain("--answer 'two!step=run|skip|stop'")
  expect((await space.run(['resume', 'last', '--step', '--answer', 'two!step=run'])).code).toBe(0)
  expect(space.effects()).toEqual(['mark one', 'mark two'])
})

test('a schema that is none once its templates are known fails the step, and nobody is asked', async () => {
  const space = workspace()
  const inputs = 'inputs: { limit: { type: object, description: The most, default: { most: many } } }\n'
  const ask = `  - { id: ask, action: human.input, with: { message: How many?, schema: { maximum: "{{ inputs.limit.most }}" } } }\n`
  space.write('asks.yaml', book('asks', `${inputs}steps:\n${ask}${mark('after')}`))
  const { code, all } = await space.run(['exec', 'asks.yaml', '--answer', 'ask=3'])
  expect(code, all).toBe(1)
  expect(all).toContain('`schema` of `human.input` is not a JSON Schema')
  expect(space.effects()).toEqual([])
  const known = await space.run(['exec', 'asks.yaml', '--answer', 'ask=3', '--input', 'limit={"most":4}'])
  expect({ code: known.code, effects: space.effects() }, known.all).toEqual({ code: 0, effects: ['mark after'] })
})

test('a run that ends or waits before it has begun a change says that it changed nothing', async () => {
  const nothing = /^ {2}changes +none was begun$/m
  const early = book(
    'asking',
    `steps:\n  - id: ask\n    action: human.confirm\n    with: { message: Go on? }\n${mark('two')}`,
  )
  const waits = await exec(early)
  expect(waits.all).toMatch(nothing)
  const refused = await waits.run(['resume', 'last', '--answer', 'ask=no'])
  expect({ code: refused.code, effects: waits.effects() }, refused.all).toEqual({ code: 3, effects: [] })
  expect(refused.all).toMatch(nothing)
  // also what was done before the run went to sleep counts
  const late = await exec(confirm)
  expect(late.all).not.toMatch(nothing)
  const stopped = await late.run(['resume', 'last', '--answer', 'ask=no'])
  expect({ code: stopped.code, effects: late.effects() }, stopped.all).toEqual({ code: 3, effects: ['mark one'] })
  expect(stopped.all).not.toMatch(nothing)
})
