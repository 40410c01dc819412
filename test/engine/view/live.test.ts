import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../engine/run/event.ts'
import { painter } from '../../../engine/view/colour.ts'
import { liveView } from '../../../engine/view/live.ts'
import { liveRows } from '../../../engine/view/live-rows.ts'
import { advance, newProgress } from '../../../engine/view/progress.ts'
import { screenOn } from '../../../engine/view/screen.ts'
import { plainTerminal } from '../../support/plain-terminal.ts'
import { ok, sampleRun } from '../../support/sample-run.ts'
import { hostile, inspection, longLoop, reboot } from '../../support/sample-runs.ts'

function rowsAfter(
  events: readonly RunEvent[],
  { columns = 100, most = 12, reached = [] as string[] } = {},
): readonly string[] {
  const progress = newProgress()
  for (const event of events) advance(progress, event)
  const options = {
    paint: painter(false),
    columns,
    most,
    now: progress.now + 61_500,
    spin: '*',
    reached: new Set(reached),
  }
  return liveRows(progress, options).map(({ text }) => text)
}

const until = (type: RunEvent['type'], key: string, events: readonly RunEvent[]) =>
  events.slice(0, events.findIndex((event) => event.type === type && 'key' in event && event.key === key) + 1)

describe('the area below', () => {
  test('says what runs, for how long, what a poll saw, and what waits', () => {
    const rows = rowsAfter(until('step.polled', 'reboot/back', reboot().events()), {
      reached: ['service', 'drain', 'confirm', 'reboot'],
    })
    expect(rows).toEqual([
      '* compute-reboot  step 4 of 5  6 ok  4m 23s',
      '* reboot  Reboot and wait  1m 1s',
      '*   reboot/back  Wait for cmp3 to answer  1m 1s, poll 1',
      '    │ unreachable: connection refused',
      '· waiting: enable  Enable the service again',
    ])
  })

  test('folds a loop into how far it is, what failed and what runs', () => {
    const run = sampleRun().begin('all', { kind: 'loop', name: 'All hosts', count: 40 })
    for (let index = 0; index < 12; index++)
      run.step(
        `all[cmp${index}]`,
        { target: `cmp${index}` },
        index === 3 ? { status: 'failed', error: { code: 'x', message: 'x' } } : ok(),
      )
    run.begin('all[cmp12]', { target: 'cmp12' }).begin('all[cmp13]', { target: 'cmp13' })
    expect(rowsAfter(run.events())[1]).toContain('12/40, 1 failed, running: cmp12, cmp13')
  })

  test('cuts a long name rather than how far the step is', () => {
    const name = 'Read the load, the memory and the uptime of each host of the whole cloud'
    const run = sampleRun().begin('machines', { kind: 'loop', name, count: 40 })
    for (let index = 0; index < 7; index++) run.step(`machines[cmp${index}]`, {}, ok())
    run.begin('machines[cmp7]')
    const [, row] = rowsAfter(run.events(), { columns: 70 })
    expect(row).toMatch(/^\* machines {2}Read the load.*… {2}7\/40, running: cmp7 {2}1m \ds$/)
  })

  test('says of a run that was cancelled that it is cleaned up, and not what would have come next', () => {
    const events = until('step.polled', 'reboot/back', reboot().events())
    const cancelled = { type: 'run.cancelled', key: 'run', by: { user: 'wei', host: 'jump1' } } as const
    const rows = rowsAfter([...events, { ...cancelled, at: events.at(-1)?.at ?? '', seq: 99, prev: '' } as RunEvent])
    expect(rows.at(-1)).toMatch(/^· cleaning up; Ctrl-C once more leaves at once/)
    expect(rows.join('\n')).not.toContain('waiting:')
  })

  test('says that a step waits for an answer', () => {
    expect(rowsAfter(until('asked', 'confirm', reboot().events())).join('\n')).toContain(
      'waits for an answer: Reboot cmp3 now?',
    )
  })

  test('has never more rows than it may, however much is open', () => {
    const run = sampleRun()
    for (let index = 0; index < 500; index++) run.begin(`step${index}`)
    const rows = rowsAfter(run.events(), { most: 10 })
    expect(rows.length).toBeLessThanOrEqual(10)
    expect(rows.join('\n')).toMatch(/and 49\d more are open/)
  })

  test('counts what is open and has no room, not the lines that it says', () => {
    const run = sampleRun()
    for (let index = 0; index < 20; index++)
      run.begin(`step${index}`).add({ type: 'step.polled', key: `step${index}`, poll: 1, seen: 'not yet' })
    const rows = rowsAfter(run.events(), { most: 8 })
    const shown = rows.filter((text) => /step\d/.test(text)).length
    expect(shown).toBeGreaterThan(1)
    expect(rows.join('\n')).toContain(`and ${20 - shown} more are open`)
  })

  test('never wraps and never steers, whatever a host or an author wrote', () => {
    const run = hostile().begin('重启'.repeat(60), { name: '重启计算节点'.repeat(20) })
    const progress = newProgress()
    for (const event of run.events().slice(0, 5)) advance(progress, event)
    for (const event of run.events().slice(-1)) advance(progress, event)
    const rows = liveRows(progress, {
      paint: painter(false),
      columns: 60,
      most: 12,
      now: progress.now,
      spin: '*',
      reached: new Set(),
    })
    expect(rows.length).toBeGreaterThan(2)
    for (const { text, width } of rows) {
      expect(width).toBeLessThan(60)
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
    }
  })

  test('knows of ten thousand items only the ones that are open or went wrong', () => {
    const progress = newProgress()
    for (const event of longLoop(10_000).events().slice(0, -2)) advance(progress, event)
    expect([progress.open.size, progress.bad.size]).toEqual([1, 1_000])
    expect(progress.loops.get('all')).toMatchObject({ done: 10_000, count: 10_000 })
  })
})

test('a painted area is replaced, lines above it stay', () => {
  const terminal = plainTerminal()
  const screen = screenOn(terminal)
  const row = (text: string) => ({ text, width: text.length })
  screen.paint([row('one'), row('two')])
  screen.paint([row('three')], ['stays'])
  expect(terminal.lines()).toEqual(['stays', 'three'])
  screen.clear()
  expect(terminal.lines()).toEqual(['stays'])
  expect(terminal.cursorShown()).toBe(true)
})

describe('the view', () => {
  test('leaves the facts and the summary, no area, and the cursor', async () => {
    const terminal = plainTerminal()
    const view = liveView(terminal, { colour: false, transcript: '/runs/x.jsonl' })
    for (const event of inspection().events()) view.on(event)
    await view.end()
    const text = terminal.lines().join('\n')
    expect(text).toMatch(/FAIL +compute-services/)
    expect(text).toContain('worst verdict FAIL')
    expect(terminal.lines().at(-1)).toContain('runbook show')
    expect(terminal.cursorShown()).toBe(true)
  })

  test('folds the reads of a loop into its end, and tells what was changed and what went wrong', async () => {
    const loop = (verbose: boolean) => {
      const terminal = plainTerminal()
      const view = liveView(terminal, { colour: false, verbose })
      const look = { action: 'ssh.run', effect: 'read', name: 'Look' } as const
      const run = sampleRun().begin('look', { kind: 'loop', name: 'Look', count: 3 })
      for (const host of ['h1', 'h2', 'h3'])
        run.step(
          `look[${host}]`,
          { ...look, target: host },
          host === 'h2' ? { status: 'failed', error: { code: 'x', message: 'it broke' } } : ok(),
        )
      run.end('look', ok())
      run.begin('move', { kind: 'loop', name: 'Move', count: 1 })
      run.step('move[a]', { action: 'ssh.run', effect: 'change', name: 'Move a', target: 'a' }, ok()).end('move', ok())
      for (const event of run.events()) view.on(event)
      return view.end().then(() => terminal.lines().join('\n'))
    }
    const text = await loop(false)
    expect(text).not.toMatch(/look\[h[13]\]/)
    expect(text).toMatch(/FAILED +look\[h2\] {2}Look on h2/)
    expect(text).toMatch(/ok +look {2}Look \(3 items, .*1 failed\)/)
    expect(text).toMatch(/ok +move\[a\] {2}Move a \(/)
    expect(await loop(true)).toMatch(/ok +look\[h1\] {2}Look on h1/)
  })

  test('shows a table that is too wide for the terminal row by row, with nothing left out', () => {
    const why = 'its owner has locked it, and it moves all the same because --input locked=move was given'
    const table = [
      { server: 'web-1', project: 'shop (9b8dbb06f8374efbaa159d5fd00baeb6)', because: why },
      { server: 'web-2', project: 'ci', because: '' },
    ]
    const terminal = { ...plainTerminal(), columns: 60 }
    const view = liveView(terminal, { colour: false })
    const question = { kind: 'confirm', message: 'Go on?', table } as const
    for (const event of sampleRun().begin('ask').add({ type: 'asked', key: 'ask', step: 'ask', question }).events())
      view.on(event)
    view.leave()
    const lines = terminal.lines()
    const said = lines.slice(lines.findIndex((line) => line.includes('Go on?')) + 1).join('\n')
    expect(said.replaceAll(/\s+/g, ' ')).toContain(
      `- server: web-1; project: shop (9b8dbb06f8374efbaa159d5fd00baeb6); because: ${why} - server: web-2; project: ci yes or no`,
    )
    expect(Math.max(...said.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60)
  })

  test('leaves the terminal alone while a question is asked, and tells afterwards what came meanwhile', async () => {
    const terminal = plainTerminal()
    const view = liveView(terminal, { colour: false })
    const [began, ...rest] = reboot().events()
    if (began) view.on(began)
    await view.pause()
    const before = terminal.written()
    expect(terminal.cursorShown()).toBe(true)
    for (const event of rest) view.on(event)
    await sleep(250)
    expect(terminal.written()).toBe(before)
    view.resume()
    await view.end()
    expect(terminal.lines().join('\n')).toContain('TIMED OUT')
  })

  test('paints by itself while nothing is told', async () => {
    const terminal = plainTerminal()
    const view = liveView(terminal, { colour: false })
    for (const event of sampleRun().begin('long', { name: 'A long step' }).events()) view.on(event)
    while (!terminal.lines().some((line) => line.includes('A long step'))) await sleep(20)
    expect(terminal.cursorShown()).toBe(false)
    await view.end()
    expect(terminal.lines().join('\n')).not.toContain('A long step')
  })

  test('catches no signal, and may be ended twice or before anything was told', async () => {
    const count = () => ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'].map((name) => process.listenerCount(name))
    const before = count()
    const view = liveView(plainTerminal(), {})
    const [began] = reboot().events()
    if (began) view.on(began)
    await sleep(150)
    expect(count()).toEqual(before)
    await view.end()
    await view.end()
    await liveView(plainTerminal(), {}).end()
    expect(count()).toEqual(before)
  })
})
