/**
 * The world in which made-up runbooks run: it is outside of the engine, keeps count of what is done to it, and decides
 * when time passes, when the process dies and when somebody presses Ctrl-C. All that waits here waits on one clock, so one
 * seed always gives one run.
 */
import type { Action, ActionContext, Answer, Question, WorkAction } from '../../../engine/action/contract.ts'
import { StepFailure } from '../../../engine/action/contract.ts'
import { anything, closedObject, flag, text } from '../../../engine/action/define.ts'
import { registryOf } from '../../../engine/action/registry.ts'
import { checkRunbook } from '../../../engine/check/check.ts'
import { isTargetExpression } from '../../../engine/check/use.ts'
import { carryOut, type Keeping } from '../../../engine/cli/carry-out.ts'
import { digestOf } from '../../../engine/cli/prepare.ts'
import { demandOpen, reopenedBy } from '../../../engine/cli/reopen.ts'
import type { Surroundings } from '../../../engine/cli/surroundings.ts'
import { lower } from '../../../engine/document/lower.ts'
import { read } from '../../../engine/document/read.ts'
import type { Runbook } from '../../../engine/document/runbook.ts'
import { emptyInventory } from '../../../engine/inventory/inventory.ts'
import { readTranscript } from '../../../engine/journal/chain.ts'
import { Redactor } from '../../../engine/journal/redact.ts'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { planOf, semantics } from '../../../engine/plan/build.ts'
import type { Plan } from '../../../engine/plan/plan.ts'
import { stepsByAddress } from '../../../engine/run/engine.ts'
import type { Recorded, RunBegan, RunEvent } from '../../../engine/run/event.ts'
import { actions as humanActions } from '../../../plugins/human/index.ts'
import type { Behaviour, Leaf, Made, Node, Texts } from './runbook.ts'
import { hostNames, textsOf } from './runbook.ts'

/** One time that something was touched. `n` orders all that happens in a world. */
export interface Touch {
  readonly what: string
  readonly action: Leaf['action']
  /** Which process of the run. */
  readonly process: number
  readonly key: string
  readonly attempt: string
  readonly n: number
  readonly at: number
  /** When it was done to the world; absent when it was not, or nobody could have noticed. */
  effect?: number
  /** When it was over, and how; absent when its process died before. */
  end?: { readonly n: number; readonly at: number; readonly how: End }
  /** It was told to stop, and why. */
  stopped?: string
  /** Effects of what it does by half. */
  part?: boolean
}

export type End = 'ok' | 'bad' | 'misfit' | 'failed' | 'unreachable' | 'unknown' | 'broke' | 'timed_out' | 'stopped'

/** What became known of a change in doubt, or a person wanted of a step. */
export interface Decision {
  readonly n: number
  readonly what: string
  readonly kind: 'settled' | 'looked' | 'doubt' | 'paused' | 'confirm'
  readonly said: string
  readonly process: number
}

export interface Interrupt {
  readonly kind: 'kill' | 'power' | 'cancel'
  /** So many things happen in the process before. */
  readonly after: number
  /** Of what was not on disk when the power failed, so much is there, from 0 to 1. */
  readonly kept: number
  /** A piece of the next line is there too. */
  readonly torn: boolean
}

export interface Ended {
  readonly exit: number | undefined
  readonly threw: unknown
  readonly killed: boolean
  readonly cancelled: boolean
  readonly events: readonly RunEvent[]
}

export interface Story {
  readonly made: Made
  readonly texts: Texts
  readonly plan: Plan
  readonly touches: readonly Touch[]
  readonly decisions: readonly Decision[]
  readonly processes: readonly Ended[]
  readonly disk: Disk
  readonly cancelled: boolean
  /** When Ctrl-C came, in the order of all that happens. */
  readonly cancelledAt: number | undefined
  /** What was wrong while it ran. */
  readonly wrong: readonly string[]
  readonly locked: ReadonlySet<string>
  readonly things: number
  /** When something was mended, in the order of all that happens; and whether nothing is left that was not. */
  readonly mends: readonly number[]
  readonly mended: boolean
}

export class Disk {
  readonly lines: string[] = []
  flushed = 0
  readonly kept = new Map<string, string>()
  torn = ''
  get text(): string {
    return this.lines.join('') + this.torn
  }
}

const never = () => new Promise<never>(() => undefined)

/** Time as it passes when everybody sleeps: nobody works meanwhile, for all work here is done within one turn. */
class Time {
  now = Date.parse('2026-11-21T08:00:00Z')
  #sleepers: { readonly at: number; readonly order: number; readonly wake: () => void }[] = []
  #order = 0
  #turning = false

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper)
        reject(signal.reason)
      }
      const sleeper = {
        at: this.now + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          signal.removeEventListener('abort', stop)
          resolve()
        },
      }
      signal.addEventListener('abort', stop, { once: true })
      this.#sleepers.push(sleeper)
      this.#turn()
    })
  }

  /** Whoever slept in a process that died sleeps for ever. */
  forget(): void {
    this.#sleepers = []
  }

  #turn(): void {
    if (this.#turning) return
    this.#turning = true
    setImmediate(() => {
      this.#turning = false
      const [next] = this.#sleepers.toSorted((a, b) => a.at - b.at || a.order - b.order)
      if (!next) return
      this.#sleepers = this.#sleepers.filter((each) => each !== next)
      this.now = Math.max(this.now, next.at)
      next.wake()
      this.#turn()
    })
  }
}

/** A number from a text, always the same. */
function hashOf(text: string): number {
  let hash = 2_166_136_261
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Every node of a made-up runbook, by its id. */
export function nodesOf(made: Made): ReadonlyMap<string, Node> {
  const all = new Map<string, Node>()
  const visit = (nodes: readonly Node[]) => {
    for (const node of nodes) {
      all.set(node.id, node)
      visit(insideOf(node))
    }
  }
  visit(made.steps)
  return all
}

/** The locks that are held while a step is done, by its id. */
function locksIn(made: Made): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, readonly string[]>()
  const visit = (nodes: readonly Node[], held: readonly string[]) => {
    for (const node of nodes) {
      all.set(node.id, held)
      visit(node.rollback, held)
      if (node.kind === 'call') visit(node.steps, node.lock ? [...held, `lock/${node.id}`] : held)
      else visit(insideOf(node), held)
    }
  }
  visit(made.steps, made.lock ? ['outer', 'another'] : [])
  return all
}

export function insideOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'block':
      return [...node.steps, ...node.rescue, ...node.always, ...node.rollback]
    case 'parallel':
      return [...node.branches, ...node.rollback]
    case 'call':
      return [...node.steps, ...node.rollback]
    default:
      return node.rollback
  }
}

export type Mending = 'at once' | 'by halves'

export interface StoryOptions {
  readonly made: Made
  /** Of the first process, the second and so on; after them nothing comes between. */
  readonly interrupts: readonly Interrupt[]
  readonly dry?: boolean
  /** The person says `I do not know` to a doubt when this is 0 of so many. */
  readonly unsure?: boolean
  /** When the run has failed, everything is mended, or some of it, and when it failed again the rest; and it is resumed. */
  readonly mend?: Mending | undefined
  /** A person is asked before each step. */
  readonly stepwise?: boolean
  readonly written?: Written
}

/** What a made-up runbook is for the engine. */
export interface Written {
  readonly texts: Texts
  readonly plan: Plan
}

export function writtenDown(made: Made): Written {
  const texts = textsOf(made)
  return { texts, plan: planFrom(texts) }
}

/** Runs a made-up runbook to its end, whatever comes between. */
export async function tell({
  made,
  interrupts,
  dry = false,
  unsure = false,
  mend,
  stepwise = false,
  written = writtenDown(made),
}: StoryOptions): Promise<Story> {
  const { texts, plan } = written
  const nodes = nodesOf(made)
  const time = new Time()
  const touches: Touch[] = []
  const decisions: Decision[] = []
  const wrong: string[] = []
  const processes: Ended[] = []
  const locked = new Set<string>()
  let disk = new Disk()
  let n = 0
  let cancelledAt: number | undefined
  let things = 0
  /** The last line of the run that failed. */
  let mendedFrom: number | undefined
  const world = {
    made,
    nodes,
    touches,
    decisions,
    disk: () => disk,
    next: () => ++n,
    now: () => time.now,
    locked,
    locksOf: dry ? new Map<string, readonly string[]>() : locksIn(made),
    wrong,
    unsure,
    mends: [] as number[],
    needed: mend === 'by halves' ? 2 : 1,
  }

  for (let index = 0; index < 12; index++) {
    const interrupt = dry ? undefined : interrupts[index]
    const before = processes.at(-1)
    const mayMend = mend !== undefined && world.mends.length < world.needed
    if (before && !before.killed && before.exit !== 5 && before.exit !== 6 && !(mayMend && before.exit === 1)) break
    const process = new Process(index, interrupt)
    process.onCancel = () => {
      cancelledAt ??= ++n
    }
    const transcript = readTranscript(disk.text)
    if (transcript.broken) {
      wrong.push(`chain: line ${transcript.broken.line} is broken: ${transcript.broken.why}`)
      break
    }
    const resumed = transcript.entries.length > 0
    if (!resumed) disk = new Disk()
    const last = transcript.entries.at(-1)
    const over = last?.type === 'run.ended' ? last.exit : undefined
    const fails = mayMend && over === 1
    // nor is it resumed when the process died before it had said so
    const mends = fails || (over === 1 && last?.seq === mendedFrom)
    // the process died after its last line: that is an end like any other, and whoever resumes it frees its locks
    const isOver = () => {
      locked.clear()
      processes.push({ exit: over, threw: undefined, killed: false, cancelled: false, events: [] })
    }
    let begin: RunBegan | { resumed: typeof transcript; reopen: readonly Recorded[] }
    try {
      if (resumed) {
        const steps = stepsByAddress(plan.runbook)
        demandOpen('run-1', transcript.entries)
        begin = { resumed: transcript, reopen: reopenedBy(transcript.entries, steps) }
      } else begin = firstLine(plan, dry, made.flag)
    } catch (error) {
      if (over === undefined) wrong.push(`resume: ${String(error)}`)
      isOver()
      break
    }
    if (over !== undefined && !mends) {
      isOver()
      break
    }
    if (fails) {
      world.mends.push(++n)
      mendedFrom = last?.seq
      // Ctrl-C after its last line found nothing to cancel
      if (!disk.text.includes('"type":"run.cancelled"')) cancelledAt = undefined
    }
    if (before?.killed) time.now += 60_000
    const events: RunEvent[] = []
    const running = carryOut(
      {
        run: 'run-1',
        dry,
        stepwise,
        plan,
        inputs: { flag: made.flag },
        registry: registryOf([...actionsOf(world, process), ...humanActions]),
        surroundings: surroundingsOf(time, process),
        config: { path: undefined, runbooks: [], inventory: undefined, runs: '', plugins: [], locks: '' },
        runs: '/nowhere',
        operator: { user: 'tess', host: 'here' },
        pid: 1,
        view: viewInto(events),
        answer: answersFrom(world, process, index),
        failOn: 'unknown',
        redactor: new Redactor(),
        begin,
        cancel: process.cancel.signal,
      },
      keepingOf(disk, process, locked, wrong),
    )
    const ended = await Promise.race([
      running.then(
        (exit) => ({ exit, threw: undefined, killed: false }),
        (threw: unknown) => ({ exit: undefined, threw, killed: false }),
      ),
      process.died.then(() => ({ exit: undefined, threw: undefined, killed: true })),
    ])
    things = Math.max(things, process.happened)
    // after its last line Ctrl-C finds nothing to cancel: whoever resumes it begins where it stopped
    if (ended.exit === 5 || ended.exit === 6) if (!disk.text.includes('"type":"run.cancelled"')) cancelledAt = undefined
    processes.push({ ...ended, cancelled: process.cancel.signal.aborted, events })
    if (ended.killed) {
      time.forget()
      crash(disk, interrupt as Interrupt)
    } else if (process.dead) wrong.push('harness: it ended after it had died')
    if (ended.threw !== undefined) {
      wrong.push(`threw: ${ended.threw instanceof Error ? ended.threw.stack : String(ended.threw)}`)
      break
    }
    if (dry) break
  }
  return {
    made,
    texts,
    plan,
    touches,
    decisions,
    processes,
    disk,
    cancelled: cancelledAt !== undefined,
    cancelledAt,
    wrong,
    locked,
    things,
    mends: world.mends,
    mended: world.mends.length === world.needed,
  }
}

/** A process of the run: it may die, or be told to cancel, before any of the things that happen in it. */
class Process {
  readonly index: number
  readonly cancel = new AbortController()
  readonly died: Promise<void>
  onCancel: () => void = () => undefined
  dead = false
  happened = 0
  readonly #interrupt: Interrupt | undefined
  #die: () => void = () => undefined

  constructor(index: number, interrupt: Interrupt | undefined) {
    this.index = index
    this.#interrupt = interrupt
    this.died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  /** Something is about to happen. In a process that is dead nothing goes on. */
  async thing(): Promise<void> {
    if (this.dead) await never()
    if (this.happened++ !== this.#interrupt?.after) return
    if (this.#interrupt.kind === 'cancel') {
      this.onCancel()
      this.cancel.abort(new Error('Ctrl-C'))
      return
    }
    this.dead = true
    this.#die()
    await never()
  }
}

/** What the disk holds after a crash: of a process all that it had written, of a machine all that was flushed, and some more. */
function crash(disk: Disk, { kind, kept, torn }: Interrupt): void {
  if (kind === 'power') {
    const loose = disk.lines.length - disk.flushed
    const lost = disk.lines.splice(disk.flushed + Math.floor(loose * kept))
    const [next] = lost
    if (torn && next !== undefined) disk.torn = next.slice(0, Math.floor((next.length - 1) * kept))
  }
  disk.flushed = disk.lines.length
}

function keepingOf(disk: Disk, process: Process, locked: Set<string>, wrong: string[]): Keeping {
  return {
    async open() {
      disk.torn = ''
      return {
        async append(line, flush) {
          await process.thing()
          disk.lines.push(line)
          if (flush) disk.flushed = disk.lines.length
          await process.thing()
        },
        async keep(name, value) {
          await process.thing()
          disk.kept.set(name, value)
        },
        async close() {
          await process.thing()
        },
      }
    },
    load(name) {
      const value = disk.kept.get(name)
      if (value === undefined) wrong.push(`disk: \`${name}\` is not there`)
      return JSON.parse(value ?? 'null') as Json
    },
    locks: {
      async take(names) {
        await process.thing()
        for (const name of names) locked.add(name)
        return undefined
      },
      async free() {
        await process.thing()
        locked.clear()
      },
    },
  }
}

function surroundingsOf(time: Time, process: Process): Surroundings {
  const nobody = () => {
    throw new Error('this world has no such door')
  }
  return {
    inventory: emptyInventory,
    hosts: {
      matching: (pattern) =>
        hostNames
          .filter((name) => pattern.split(',').includes(name))
          .map((name) => ({ name, address: name, groups: [], vars: {} })),
    },
    clouds: { get: nobody },
    cloud: undefined,
    doors: {
      clock: {
        now: () => time.now,
        sleep: (ms, signal) => (process.dead ? never() : time.sleep(ms, signal)),
      },
      folder: '/',
      http: nobody,
      ssh: nobody,
      local: nobody,
      askWith: () => undefined,
      atEnd: () => undefined,
      close: async () => undefined,
    },
    close: async () => undefined,
  }
}

function viewInto(events: RunEvent[]) {
  return {
    on: (event: RunEvent) => void events.push(event),
    pause: async () => undefined,
    resume: () => undefined,
    end: async () => undefined,
    leave: () => undefined,
  }
}

function firstLine(plan: Plan, dry: boolean, flag: boolean): RunBegan {
  return {
    type: 'run.began',
    format: 'runbook-transcript/1',
    run: 'run-1',
    mode: dry ? 'dry-run' : 'run',
    engine: 'test',
    semantics,
    runbook: { name: plan.runbook.name, title: plan.runbook.title, path: 'made.yaml', digest: plan.digest },
    by: { user: 'tess', host: 'here' },
    pid: 1,
    inputs: { flag },
    hosts: hostNames,
    outline: [],
  }
}

interface Shared {
  readonly made: Made
  readonly nodes: ReadonlyMap<string, Node>
  readonly touches: Touch[]
  readonly decisions: Decision[]
  readonly disk: () => Disk
  readonly next: () => number
  readonly now: () => number
  readonly locked: ReadonlySet<string>
  readonly locksOf: ReadonlyMap<string, readonly string[]>
  readonly wrong: string[]
  readonly unsure: boolean
  readonly mends: readonly number[]
  /** So many make everything whole. */
  readonly needed: number
}

const isWhole = ({ mends, needed }: Shared): boolean => mends.length >= needed

/** Whether a thing is as it should be by now. */
function isMended(world: Shared, what: string): boolean {
  return isWhole(world) || (world.mends.length > 0 && hashOf(`${what} mended`) % 2 === 0)
}

/** The id of a step, from the name of what it touches. */
export function idOf(what: string): string {
  return what.slice(0, what.includes('|') ? what.indexOf('|') : undefined)
}

export function behaviourOf(leaf: Leaf, what: string): Behaviour {
  return leaf.does[hashOf(what) % leaf.does.length] ?? 'ok'
}

const takes = (what: string): number => [0, 0, 1_000, 3_000][hashOf(`${what} takes`) % 4] ?? 0

/** The actions of one process, which touch the world. */
function actionsOf(world: Shared, process: Process): readonly Action[] {
  const make = (action: Leaf['action'], more: Partial<WorkAction> = {}): WorkAction => ({
    name: `test.${action}`,
    summary: 'touch a thing',
    effect: action === 'read' ? 'read' : 'change',
    params: closedObject({ what: text('The thing.') }),
    result: closedObject({ of: text('The thing.'), good: flag('Whether it is as wanted.'), value: anything('More.') }, [
      'value',
    ]),
    examples: [{ what: 'x' }],
    run: (ctx, params, signal) => touched(action, ctx, String(params['what']), signal),
    ...more,
  })
  return [
    make('read'),
    make('change'),
    make('again', { idempotent: true }),
    make('settled', {
      async settled({ step }, params) {
        await process.thing()
        const what = String(params['what'])
        const leaf = world.nodes.get(idOf(what)) as Leaf
        const touch = world.touches.find(({ attempt }) => attempt === step.attempt)
        if (leaf.lookFails && !isMended(world, what)) throw new StepFailure('look_failed', `nobody can look at ${what}`)
        const said = leaf.blind ? 'unknown' : touch?.effect !== undefined ? 'yes' : 'no'
        // looked at before it is undone, or to know whether it is to be done
        const kind = step.key.endsWith('!undo!settled') ? 'looked' : 'settled'
        world.decisions.push({ n: world.next(), what, kind, said, process: process.index })
        if (said === 'yes') return { happened: 'yes', result: given(what, leaf) }
        return said === 'no' ? { happened: 'no' } : { happened: 'unknown', why: 'nobody can see it' }
      },
    }),
    make('planned', {
      async plan(_ctx, params) {
        return { summary: 'it would', changes: [{ path: String(params['what']), before: 1, after: 2 }] }
      },
    }),
  ]

  /** What is mended is as it should be. */
  function given(what: string, leaf: Leaf): JsonObject {
    return { ...resultOf(what, leaf), ...(isMended(world, what) && { good: true }) }
  }

  async function touched(
    action: Leaf['action'],
    { step, clock }: ActionContext,
    what: string,
    signal: AbortSignal,
  ): Promise<Json> {
    const leaf = world.nodes.get(idOf(what)) as Leaf
    const behaviour = isMended(world, what) ? 'ok' : behaviourOf(leaf, what)
    const failedBefore = world.touches.some((touch) => touch.what === what && touch.end?.how === 'failed')
    const touch: Touch = {
      what,
      action,
      process: process.index,
      key: step.key,
      attempt: step.attempt,
      n: world.next(),
      at: world.now(),
    }
    world.touches.push(touch)
    if (
      action !== 'read' &&
      !world.disk().lines.slice(0, world.disk().flushed).join('').includes(`"attempt":"${step.attempt}"`)
    )
      world.wrong.push(`J1: ${what} is done, and that it began is not on disk`)
    for (const lock of world.locksOf.get(leaf.id) ?? [])
      if (!world.locked.has(lock)) world.wrong.push(`locks: ${what} is done without the lock ${lock}`)
    if (signal.aborted) world.wrong.push(`signal: ${what} is begun with a signal that is aborted already`)
    const end = (how: End): void => {
      if (signal.aborted) touch.stopped = String((signal.reason as Error).message)
      touch.end = { n: world.next(), at: world.now(), how }
    }
    const happens = async () => {
      await process.thing()
      touch.effect = world.next()
      await process.thing()
    }
    const wait = async (ms: number, deaf = false) => {
      try {
        await clock.sleep(ms, deaf ? new AbortController().signal : signal)
      } catch (error) {
        if (process.dead) await never()
        end('stopped')
        throw error
      }
      if (process.dead) await never()
    }
    const fails = async (how: Exclude<End, 'ok' | 'bad' | 'misfit' | 'stopped' | 'broke'>): Promise<never> => {
      await process.thing()
      end(how)
      throw new StepFailure(`it_${how}`, `${what} ${how}`, { status: how })
    }
    const breaks = async (): Promise<never> => {
      await process.thing()
      end('broke')
      throw new Error(`${what} broke`)
    }
    const ends = async (how: 'ok' | 'bad' | 'misfit'): Promise<Json> => {
      await process.thing()
      end(how)
      return how === 'misfit' ? { of: 1 } : given(what, leaf)
    }
    await wait(isMended(world, what) ? 0 : takes(what))
    switch (behaviour) {
      case 'ok':
      case 'bad':
      case 'misfit':
        await happens()
        return ends(behaviour)
      case 'fails':
        return fails('failed')
      case 'fails-after':
        await process.thing()
        touch.part = true
        return fails('failed')
      case 'fails-once':
        if (!failedBefore) return fails('failed')
        await happens()
        return ends('ok')
      case 'ok-once':
        if (world.touches.some((each) => each.what === what && each.effect !== undefined)) return fails('failed')
        await happens()
        return ends('ok')
      case 'unreachable':
        return fails('unreachable')
      case 'lost-before':
        return fails('unknown')
      case 'lost-after':
        await happens()
        return fails('unknown')
      case 'breaks-before':
        return breaks()
      case 'breaks-after':
        await happens()
        return breaks()
      case 'hangs-before':
        await wait(forever)
        return fails('failed')
      case 'hangs-after':
        await happens()
        await wait(forever)
        return ends('ok')
      case 'deaf':
        await happens()
        await wait(30_000, true)
        return ends('ok')
      case 'deaf-fails':
        await wait(30_000, true)
        return fails('failed')
      case 'times-out':
        await happens()
        return fails('timed_out')
    }
  }
}

/** Until somebody says stop; or else a day. */
const forever = 24 * 3_600_000

function resultOf(what: string, leaf: Leaf): JsonObject {
  return {
    of: what,
    good: behaviourOf(leaf, what) !== 'bad',
    ...(leaf.gives && { value: leaf.gives }),
  }
}

/** A person who looks at the world before answering. */
function answersFrom(world: Shared, process: Process, index: number) {
  return async (
    key: string,
    question: Question,
    signal: AbortSignal,
    inDoubt: boolean,
  ): Promise<Answer | undefined> => {
    await process.thing()
    if (signal.aborted) return undefined
    const said = answer(key, question, inDoubt)
    return said === undefined ? undefined : { value: said, by: 'tess', at: new Date(world.now()).toISOString() }
  }

  function answer(key: string, question: Question, inDoubt: boolean): Json | undefined {
    const note = (kind: Decision['kind'], what: string, said: string) => {
      world.decisions.push({ n: world.next(), what, kind, said, process: index })
      return said
    }
    if (question.message.endsWith('??')) return undefined
    if (question.kind === 'confirm') {
      const what = question.message.slice(0, -1)
      const node = world.nodes.get(idOf(what))
      const says = node?.kind === 'confirm' ? node.says : 'yes'
      // nobody is there at first
      if (says === 'later' && index === 0) return undefined
      note('confirm', what, says === 'no' ? 'no' : 'yes')
      return says !== 'no'
    }
    if (key.endsWith('!step')) {
      // nobody is there at first, now and then; few steps are left out, and very few runs stopped
      if (index === 0 && hashOf(`${key} later`) % 5 === 0) return undefined
      const luck = hashOf(key) % 20
      return luck === 0 ? 'stop' : luck < 3 ? 'skip' : 'run'
    }
    const execution = key.replace(/!(doubt|result|paused)$/, '')
    const what = whatOf(execution)
    const leaf = world.nodes.get(idOf(what)) as Leaf
    if (key.endsWith('!result')) return resultOf(what, leaf)
    if (key.endsWith('!paused')) {
      const tried = world.decisions.filter((each) => each.kind === 'paused' && each.what === what).length
      return note(
        'paused',
        what,
        tried === 0 || isWhole(world) ? 'retry' : hashOf(what) % 2 === 0 ? 'continue' : 'abort',
      )
    }
    if (!inDoubt) {
      world.wrong.push(`harness: a question nobody expected: ${key}`)
      return undefined
    }
    if (index === 0 && hashOf(`${what} later`) % 3 === 0) return undefined
    const touch = world.touches.findLast((each) => each.key === execution)
    const asked = world.decisions.filter((each) => each.kind === 'doubt' && each.what === what).length
    const known = touch?.effect !== undefined ? 'done' : 'again'
    // who says again for ever is asked for ever
    const gaveUp = known === 'again' && asked >= 2 && !isWhole(world)
    return note(
      'doubt',
      what,
      gaveUp || (world.unsure && !isWhole(world) && hashOf(`${what} unsure`) % 3 === 0) ? 'abort' : known,
    )
  }

  /** What an execution touches, as its first line on disk says. */
  function whatOf(execution: string): string {
    const touch = world.touches.findLast((each) => each.key === execution)
    if (touch) return touch.what
    const { entries } = readTranscript(world.disk().lines.join(''))
    const began = entries.findLast((entry) => entry.type === 'step.began' && entry.key === execution)
    const params = began?.type === 'step.began' ? (began.params as JsonObject | undefined) : undefined
    return String(params?.['what'] ?? '')
  }
}

/** Through the front half, as a file goes. */
function planFrom({ main, called }: Texts): Plan {
  const registry = registryOf([...actionsOf({} as Shared, {} as Process), ...humanActions])
  const parse = (path: string, source: string): Runbook => {
    const file = { path, text: source }
    const tree = read(file)
    const lowered = tree.value ? lower(file, tree.value) : { value: undefined, diagnostics: [] }
    demand([...tree.diagnostics, ...lowered.diagnostics])
    if (!lowered.value) throw new Error('it is no runbook')
    return lowered.value
  }
  const parsed = new Map(Object.entries(called).map(([name, source]) => [name, parse(`${name}.yaml`, source)]))
  const find = (name: string) => parsed.get(name)
  const library = { find, has: (name: string) => parsed.has(name), names: () => [...parsed.keys()] }
  const runbook = parse('made.yaml', main)
  for (const each of [runbook, ...parsed.values()]) demand(checkRunbook(each, { registry, library }))
  const planned = planOf(runbook, { registry, find, isTargetExpression })
  return { semantics, runbook: planned, files: {}, digest: digestOf({ semantics, runbook: planned }) }
}

function demand(
  diagnostics: readonly { readonly severity: string; readonly code: string; readonly message: string }[],
) {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0)
    throw new Error(`not accepted: ${errors.map(({ code, message }) => `${code} ${message}`).join('; ')}`)
}
