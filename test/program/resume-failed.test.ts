import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { book, mark, workspace } from './program.ts'

const touch = (id: string, what: string, needs = 'true') => `
      - id: ${id}
        action: local.script
        with: { script: 'echo "${what}$1" >> "$LOG"; ${needs}', args: ["{{ x }}"], env: { LOG: "{{ inputs.log }}" } }`

const runbook = `apiVersion: runbook/v1
name: fails
inputs:
  log: { type: string, description: Where the marks go }
  needed: { type: string, description: A file that must be there }
steps:
  - id: one
    action: local.script
    with: { script: 'echo one >> "$LOG"', env: { LOG: "{{ inputs.log }}" } }
  - id: handled
    block:
      - id: breaks
        action: local.script
        with: { script: 'echo breaks >> "$LOG"; false', env: { LOG: "{{ inputs.log }}" } }
    rescue:
      - id: mend
        action: local.script
        with: { script: 'echo mend >> "$LOG"', env: { LOG: "{{ inputs.log }}" } }
  - id: each
    for_each: "['a', 'b', 'c']"
    as: x
    key: x
    max_failures: 3
    block:${touch('need', 'need ', 'test "$1" != b || test -e "$NEEDED"').replace('env: {', 'env: { NEEDED: "{{ inputs.needed }}",')}${touch('then', 'then ')}
`

test('a run that failed is opened again at what failed: what was done stays done, what was mended stays mended', async () => {
  const work = workspace()
  const needed = join(work.folder, 'needed')
  work.write('fails.yaml', runbook)
  const failed = await work.run(['exec', 'fails.yaml', '--input', `log=${work.log}`, '--input', `needed=${needed}`])
  expect(failed.code, failed.all).toBe(1)
  const before = [...work.effects()]
  expect(before.toSorted()).toEqual(['breaks', 'mend', 'need a', 'need b', 'need c', 'one', 'then a', 'then c'])
  expect(existsSync(needed)).toBe(false)
  writeFileSync(needed, '')
  const resumed = await work.run(['resume', 'last'])
  expect(resumed.code, resumed.all).toBe(0)
  expect(work.effects().slice(before.length)).toEqual(['need b', 'then b'])
  // first which run it is, then what is done again in it
  expect(resumed.stdout).toMatch(/^fails: fails\n/)
  expect(resumed.stdout).toMatch(/\n\S+ +again +each\[b\]/)
  // the old failure stays in the transcript, before the line that opens the step again
  const types = work.entries().flatMap((entry) => ('key' in entry && entry.key === 'each[b]/need' ? [entry.type] : []))
  expect(types.filter((type) => type === 'step.ended' || type === 'step.reopened')).toEqual([
    'step.ended',
    'step.reopened',
    'step.ended',
  ])
  expect((await work.run(['verify', 'last'])).code).toBe(0)
  const over = await work.run(['resume', 'last'])
  expect(over).toMatchObject({ code: 2 })
  expect(over.stderr).toContain('is done: there is nothing to resume')
})

test('a loop that a guard stopped goes on when what it reads holds by now', async () => {
  const work = workspace()
  const health = work.write('health', 'bad')
  work.write(
    'guarded.yaml',
    book(
      'guarded',
      `steps:
  - id: each
    for_each: ['a', 'b']
    as: x
    key: x
    batches: [1]
    action: local.script
    with: { script: 'echo "$1" >> "$LOG"', args: ["{{ x }}"] }
    guards:
      - { id: look, action: local.script, effect: read, with: { script: 'cat ${health}' } }
      - { that: "steps.look.result.stdout == 'good'", message: "it is {{ steps.look.result.stdout }}" }
`,
    ),
  )
  expect((await work.run(['exec', 'guarded.yaml'])).code).toBe(1)
  work.write('health', 'worse')
  const worse = await work.run(['resume', 'last'])
  expect({ code: worse.code, effects: work.effects() }, worse.all).toEqual({ code: 1, effects: ['a'] })
  expect(work.entries().filter(({ type }) => type === 'condition')).toMatchObject([
    { message: expect.stringContaining('it is bad') },
    { message: expect.stringContaining('it is worse') },
  ])
  work.write('health', 'good')
  const resumed = await work.run(['resume', 'last'])
  expect({ code: resumed.code, effects: work.effects() }, resumed.all).toEqual({ code: 0, effects: ['a', 'b'] })
  expect((await work.run(['verify', 'last'])).code).toBe(0)
})

test('what is mended and done again has the time limit of its group anew', async () => {
  const work = workspace()
  const flag = join(work.folder, 'flag')
  work.write(
    'timed.yaml',
    book(
      'timed',
      `steps:
  - id: group
    timeout: 3s
    block:
      - { id: needs, action: local.script, with: { script: 'test -e ${flag}' } }
${mark('then', { indent: 6 })}`,
    ),
  )
  expect((await work.run(['exec', 'timed.yaml'])).code).toBe(1)
  await new Promise((done) => setTimeout(done, 3_100))
  writeFileSync(flag, '')
  const { code, all } = await work.run(['resume', 'last'])
  expect(code, all).toBe(0)
  expect(work.effects()).toEqual(['mark then'])
})

test('a run that was undone is not gone on with', async () => {
  const work = workspace()
  work.write(
    'undone.yaml',
    `apiVersion: runbook/v1
name: undone
steps:
  - id: a
    action: local.script
    with: { script: 'echo a >> ${work.log}' }
    rollback:
      - action: local.script
        with: { script: 'echo undo >> ${work.log}' }
  - id: b
    action: local.run
    with: { command: 'false' }
`,
  )
  expect((await work.run(['exec', 'undone.yaml'])).code).toBe(1)
  const again = await work.run(['resume', 'last'])
  expect(again.code).toBe(2)
  expect(again.stderr).toContain('undone')
  expect(work.effects()).toEqual(['a', 'undo'])
})

test.each([
  ['failed', 'false', []],
  ['cancelled', 'sleep 30', ['--cancel']],
])(
  'a run that %s, and of which not all could be undone, is only undone to its end',
  async (status, script, options) => {
    const work = workspace()
    const undo = (needs: string) =>
      `rollback: [{ action: local.script, with: { script: '${needs} && echo undo >> "$LOG"' } }]`
    work.write(
      'part.yaml',
      book(
        'part',
        `steps:
${mark('one', { more: undo('true') })}${mark('two', { more: undo('test -e mended') })}${mark('three', { more: undo('true') })}
  - { id: last, action: local.script, in_doubt: fail, with: { script: 'test -e mended || ${script}' } }
${mark('then')}`,
      ),
    )
    const first = work.start(['exec', 'part.yaml'])
    if (status === 'cancelled') {
      await first.until('begins       last')
      first.child.kill('SIGINT')
    }
    const failed = await first.ended
    expect(failed.all).toContain('undoing `two` failed')
    expect(failed.all).toMatch(/next +runbook resume /)
    const before = ['mark one', 'mark two', 'mark three', 'undo', 'undo']
    expect(work.effects()).toEqual(before)
    const still = await work.run(['resume', 'last'])
    expect({ code: still.code, effects: work.effects() }, still.all).toEqual({ code: failed.code, effects: before })
    work.write('mended', '')
    const resumed = await work.run(['resume', 'last', ...options])
    expect({ code: resumed.code, effects: work.effects() }, resumed.all).toEqual({
      code: failed.code,
      effects: [...before, 'undo'],
    })
    expect(work.entries().at(-1)).toMatchObject({ status: status === 'failed' ? 'rolled_back' : status })
    expect((await work.run(['verify', 'last'])).code).toBe(0)
    expect(await work.run(['resume', 'last'])).toMatchObject({ code: 2 })
  },
)

test('a run that a person refused is not gone on with, what it did has been undone; nobody is told to resume it', async () => {
  const work = workspace()
  const undo = `rollback:\n  - action: local.script\n    with: { script: 'echo undo >> "$LOG"' }`
  const ask = '  - { id: ask, action: human.confirm, with: { message: Go on? } }\n'
  work.write('refused.yaml', book('refused', `steps:\n${mark('one', { more: undo })}${ask}${mark('two')}`))
  const refused = await work.run(['exec', 'refused.yaml', '--answer', 'ask=no'])
  expect(refused.code, refused.all).toBe(3)
  expect(refused.all).toMatch(/next +runbook show /)
  const again = await work.run(['resume', 'last', '--answer', 'ask=yes'])
  expect({ code: again.code, effects: work.effects() }, again.all).toEqual({ code: 2, effects: ['mark one', 'undo'] })
  expect(again.all).toContain('refused by a person')
})

test('a condition that failed is judged by what is read anew; what was read before the last change is not read again', async () => {
  const work = workspace()
  const flag = join(work.folder, 'flag')
  const reads = (id: string, script: string) =>
    `  - { id: ${id}, action: local.script, effect: read, with: { script: '${script}', env: { LOG: "${work.log}" } } }\n`
  work.write(
    'judged.yaml',
    book(
      'judged',
      `steps:
${reads('before', 'echo before >> "$LOG"')}${mark('change')}${reads('look', `echo look >> "$LOG"; cat ${flag}`)}  - { id: seen, let: { flag: steps.look.result.stdout } }
  - id: allowed
    action: assert.that
    with: { conditions: [{ that: "steps.seen.flag.trim() == 'off'", message: "the flag is {{ steps.seen.flag }}" }] }
${mark('after')}`,
    ),
  )
  writeFileSync(flag, 'on')
  const failed = await work.run(['exec', 'judged.yaml'])
  expect(failed.code, failed.all).toBe(1)
  expect((await work.run(['resume', 'last'])).all).toContain('the flag is on')
  writeFileSync(flag, 'off')
  const resumed = await work.run(['resume', 'last'])
  expect(resumed.code, resumed.all).toBe(0)
  expect(work.effects()).toEqual(['before', 'mark change', 'look', 'look', 'look', 'mark after'])
  expect((await work.run(['verify', 'last'])).code).toBe(0)
})

test('a change that was made and whose result did not pass is not made again without a word', async () => {
  const work = workspace()
  work.write(
    'verified.yaml',
    book(
      'verified',
      `steps:
  - id: one
    action: local.script
    with: { script: 'echo one >> "$LOG"; echo said' }
    verify: [{ that: "result.stdout == 'other'", message: "it said {{ result.stdout }}" }]
  - { id: two, action: local.script, with: { script: 'printf %s "$1" >> "$LOG"', args: ["{{ steps.one.result.stdout }}"] } }
`,
    ),
  )
  const failed = await work.run(['exec', 'verified.yaml'])
  expect(failed.code, failed.all).toBe(1)
  const parked = await work.run(['resume', 'last'])
  expect({ code: parked.code, effects: work.effects() }, parked.all).toEqual({ code: 5, effects: ['one'] })
  expect(parked.all).toContain(
    'what is to become of `one` (one; local.script)? it was done, and ended failed: it said said',
  )
  expect(parked.all).not.toContain('may have happened')
  expect(parked.all).not.toContain('none was begun')
  const resumed = await work.run(['resume', 'last', '--answer', 'one!doubt=done'])
  expect({ code: resumed.code, effects: work.effects() }, resumed.all).toEqual({ code: 0, effects: ['one', 'said'] })
  expect((await work.run(['verify', 'last'])).code).toBe(0)
})

test('a change that failed once and ran out of time when it was tried again is not made again without a word', async () => {
  const work = workspace()
  work.write(
    'twice.yaml',
    book(
      'twice',
      `steps:
  - id: one
    action: local.script
    with: { script: 'echo one >> "$LOG"; if [ -e tried ]; then sleep 600; fi; touch tried; exit 1' }
    retry: { attempts: 2, delay: 10ms }
    timeout: 8s
`,
    ),
  )
  const failed = await work.run(['exec', 'twice.yaml'])
  expect({ code: failed.code, effects: work.effects() }, failed.all).toEqual({ code: 1, effects: ['one', 'one'] })
  const parked = await work.run(['resume', 'last'])
  expect({ code: parked.code, effects: work.effects() }, parked.all).toEqual({ code: 5, effects: ['one', 'one'] })
  expect(parked.all).toContain('did `one` (one; local.script) happen? it ended timed_out')
  const resumed = await work.run(['resume', 'last', '--answer', 'one!doubt=done'])
  expect({ code: resumed.code, effects: work.effects() }, resumed.all).toEqual({ code: 0, effects: ['one', 'one'] })
  expect((await work.run(['verify', 'last'])).code).toBe(0)
})

const read = (id: string, script: string, args = '') =>
  `{ id: ${id}, action: local.script, effect: read, with: { script: 'echo "${id}$1" >> "$LOG"; ${script}', args: [${args}], env: { LOG: "$LOG" } } }`
const judge = (id: string, that: string) =>
  `{ id: ${id}, action: assert.that, with: { conditions: [{ that: "${that}" }] } }`
const isOff = "steps.look.result.stdout.trim() == 'off'"

// what is read outside of where it is judged; the effects of one run that fails, then of one that goes well
test.each([
  {
    where: 'in a loop',
    steps: `
  - ${read('look', 'cat flag')}
  - id: each
    for_each: ['a', 'b']
    as: x
    key: x
    block:
      - ${read('mine', 'true', '"{{ x }}"')}
      - ${judge('allowed', `x == 'a' || ${isOff}`)}
      - { id: go, when: x == 'b', action: local.script, with: { script: 'echo go >> "$LOG"', env: { LOG: "$LOG" } } }`,
    first: ['look', 'minea', 'mineb'],
    again: ['look', 'minea', 'mineb', 'go'],
  },
  {
    where: 'in a loop, and another item has changed something on it since',
    steps: `
  - ${read('look', 'cat flag')}
  - id: each
    for_each: ['a', 'b', 'c']
    as: x
    key: x
    max_failures: 2
    block:
      - ${read('mine', 'cat flag', '"{{ x }}"')}
      - ${judge('allowed', `x != 'b' || steps.mine.result.stdout.trim() == 'off'`)}
      - id: go
        action: local.script
        with: { script: 'echo "go$1" >> "$LOG"', args: ["{{ x }} {{ steps.look.result.stdout }}"], env: { LOG: "$LOG" } }`,
    first: ['look', 'minea', 'goa on', '', 'mineb', 'minec', 'goc on', ''],
    again: ['mineb', 'gob on', ''],
  },
  {
    where: 'in groups',
    steps: `
  - id: outer
    block:
      - ${read('look', 'cat flag')}
      - id: inner
        block:
          - id: lanes
            parallel:
              - ${judge('allowed', isOff)}
  - { id: go, action: local.script, with: { script: 'echo go >> "$LOG"', env: { LOG: "$LOG" } } }`,
    first: ['look'],
    again: ['look', 'go'],
  },
  {
    where: 'in a called runbook',
    steps: `
  - ${read('look', 'cat flag')}
  - { id: call, runbook: ./called.yaml, with: { flag: "{{ steps.look.result.stdout }}" } }`,
    first: ['look'],
    again: ['look', 'called'],
  },
  {
    where: 'by a precondition of a called runbook',
    steps: `
  - ${read('look', 'cat flag')}
  - { id: call, runbook: ./refuses.yaml, with: { flag: "{{ steps.look.result.stdout }}" } }`,
    first: ['look'],
    again: ['look', 'called'],
  },
  {
    where: 'by the list of a loop',
    steps: `
  - ${read('look', 'cat flag')}
  - id: each
    for_each: "steps.look.result.stdout.trim() == 'off' ? ['a', 'b'] : ['a', 'a']"
    as: x
    key: x
    action: local.script
    with: { script: 'echo "go$1" >> "$LOG"', args: ["{{ x }}"], env: { LOG: "$LOG" } }`,
    first: ['look'],
    again: ['look', 'goa', 'gob'],
  },
])('what was judged $where is judged on what is read anew', async ({ steps, first, again }) => {
  const work = workspace()
  const here = (text: string) =>
    text.replaceAll('"$LOG" }', `"${work.log}" }`).replaceAll('cat flag', `cat ${join(work.folder, 'flag')}`)
  const called = (name: string, what: string) =>
    work.write(
      `${name}.yaml`,
      here(`apiVersion: runbook/v1
name: ${name}
inputs: { flag: { type: string, description: on or off } }
${what}
  - { id: go, action: local.script, with: { script: 'echo called >> "$LOG"', env: { LOG: "$LOG" } } }
`),
    )
  called('called', `steps:\n  - ${judge('allowed', "inputs.flag.trim() == 'off'")}`)
  called('refuses', `preconditions: [{ that: "inputs.flag.trim() == 'off'" }]\nsteps:`)
  work.write('judged.yaml', here(book('judged', `steps:${steps}\n`)))
  work.write('flag', 'on\n')
  const failed = await work.run(['exec', 'judged.yaml'])
  expect({ code: failed.code, effects: work.effects() }, failed.all).toEqual({ code: 1, effects: first })
  work.write('flag', 'off\n')
  const resumed = await work.run(['resume', 'last'])
  expect({ code: resumed.code, effects: work.effects().slice(first.length) }, resumed.all).toEqual({
    code: 0,
    effects: again,
  })
  expect((await work.run(['verify', 'last'])).code).toBe(0)
})

describe('what is done in every case', () => {
  test('is done once more after what is mended, at each level; what it looked at is looked at again', async () => {
    const work = workspace()
    work.write(
      'tidied.yaml',
      book(
        'tidied',
        `steps:
  - id: outer
    block:
      - id: inner
        block:
${mark('one', { indent: 10 })}${mark('work', { indent: 10, rest: 'touch left.$(wc -l < "$LOG"); test -e mended' })}
        always:
          - { id: left, action: local.script, effect: read, with: { script: 'ls | grep left || true', parse: lines } }
          - id: remove
            for_each: steps.left.result.value
            key: item
            action: local.script
            with: { script: 'rm "$1"; echo "rm $1" >> "$LOG"', args: ["{{ item }}"] }
    always:
${mark('last', { indent: 6 })}  - id: other
    block:
${mark('unused', { indent: 6 })}    always:
${mark('never', { indent: 6 })}`,
      ),
    )
    expect((await work.run(['exec', 'tidied.yaml'])).code).toBe(1)
    const before = ['mark one', 'mark work', 'rm left.2', 'mark last']
    expect(work.effects()).toEqual(before)
    work.write('mended', '')
    const { code, all } = await work.run(['resume', 'last'])
    expect({ code, effects: work.effects().slice(before.length) }, all).toEqual({
      code: 0,
      effects: ['mark work', 'rm left.5', 'mark last', 'mark unused', 'mark never'],
    })
    expect((await work.run(['verify', 'last'])).code).toBe(0)
  })

  test('and failed itself is gone on with where it failed', async () => {
    const work = workspace()
    const always = `${mark('first', { indent: 6 })}${mark('then', { indent: 6, rest: 'test -e mended' })}`
    work.write(
      'tidies.yaml',
      book('tidies', `steps:\n  - id: group\n    block:\n${mark('one', { indent: 6 })}    always:\n${always}`),
    )
    expect((await work.run(['exec', 'tidies.yaml'])).code).toBe(1)
    work.write('mended', '')
    const { code, all } = await work.run(['resume', 'last'])
    expect({ code, effects: work.effects() }, all).toEqual({
      code: 0,
      effects: ['mark one', 'mark first', 'mark then', 'mark then'],
    })
  })

  test('is not done again when the rest is undone', async () => {
    const work = workspace()
    const undo = `rollback: [{ action: local.script, with: { script: 'test -e mended && echo undo >> "$LOG"' } }]`
    work.write(
      'half.yaml',
      book(
        'half',
        `steps:
  - id: group
    block:
${mark('one', { indent: 6, more: undo })}${mark('two', { indent: 6, rest: 'false' })}
    always:
${mark('tidy', { indent: 6 })}`,
      ),
    )
    expect((await work.run(['exec', 'half.yaml'])).code).toBe(1)
    work.write('mended', '')
    const { code, all } = await work.run(['resume', 'last'])
    expect({ code, effects: work.effects() }, all).toEqual({
      code: 1,
      effects: ['mark one', 'mark two', 'mark tidy', 'undo'],
    })
  })
})
