/** Runbooks that nobody wrote: a tree that is made up, and the YAML that says the same. */
import fc from 'fast-check'

/** What a thing does when it is touched, however often. */
export type Behaviour =
  | 'ok'
  /** Ends well; its result does not hold what `verify` and `until` want. */
  | 'bad'
  /** Happens, and gives what does not fit the schema. */
  | 'misfit'
  | 'fails'
  /** Part of its work is done then. */
  | 'fails-after'
  | 'fails-once'
  /** What is there already cannot be made again. */
  | 'ok-once'
  | 'unreachable'
  | 'lost-before'
  | 'lost-after'
  | 'breaks-before'
  | 'breaks-after'
  | 'hangs-before'
  | 'hangs-after'
  /** Does not listen to its signal, and ends well. */
  | 'deaf'
  /** Does not listen to its signal, and fails. */
  | 'deaf-fails'
  | 'times-out'

export interface Loop {
  /** The name of an item in templates. */
  readonly as: string
  readonly items: readonly string[]
  readonly kind: 'texts' | 'objects' | 'expression' | 'result' | 'hosts'
  readonly maxParallel?: number
  readonly maxFailures?: number
  readonly batches?: readonly (number | string)[]
  readonly guard?: 'flag' | 'true'
}

interface Common {
  readonly id: string
  readonly when?: 'true' | 'false' | 'flag' | { readonly after: string }
  readonly onFailure?: 'continue' | 'pause'
  readonly timeout?: number
  readonly loop?: Loop
  readonly rollback: readonly Node[]
}

export interface Leaf extends Common {
  readonly kind: 'leaf'
  readonly action: 'read' | 'change' | 'again' | 'settled' | 'planned'
  /** By item, in turn. */
  readonly does: readonly Behaviour[]
  readonly verify: boolean
  readonly attempts?: number
  readonly until?: 'fail' | 'wait'
  readonly inDoubt?: 'rerun' | 'fail'
  /** What `settled` says when it cannot know. */
  readonly blind: boolean
  /** Whether the look itself fails. */
  readonly lookFails?: boolean
  /** Another step loops over what it gives. */
  readonly gives?: readonly string[]
}

export interface Confirm extends Common {
  readonly kind: 'confirm'
  readonly says: 'yes' | 'no' | 'later'
}

export interface Block extends Common {
  readonly kind: 'block'
  readonly steps: readonly Node[]
  readonly rescue: readonly Node[]
  readonly always: readonly Node[]
}

export interface Parallel extends Common {
  readonly kind: 'parallel'
  readonly branches: readonly Node[]
  readonly maxParallel?: number
}

export interface Call extends Common {
  readonly kind: 'call'
  readonly steps: readonly Node[]
  readonly lock: boolean
  readonly verify: boolean
}

export interface Let extends Common {
  readonly kind: 'let'
}

export type Node = Leaf | Confirm | Block | Parallel | Call | Let

export interface Made {
  readonly flag: boolean
  readonly lock: boolean
  readonly steps: readonly Node[]
}

// ---------------------------------------------------------------- what is made up

interface Drawn {
  readonly kind: Node['kind']
  readonly [more: string]: unknown
}

const some = <T>(arbitrary: fc.Arbitrary<T>, rare = 3): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: rare, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const weighted = <T>(...all: readonly (readonly [number, T])[]) =>
  fc.oneof(...all.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })))

/** How wild: what may fail, and what makes one and the same run end differently when it is cut. */
export interface Wildness {
  /** Only what ends the same however often it is cut off and done again. */
  readonly tame: boolean
}

const names = ['a', 'b', 'c', 'd', 'x/y', 'p]q', 'q~2', 'r!undo', 's[1', 'ü %', 'b1', '10']

function drawnSteps({ tame }: Wildness): fc.Arbitrary<readonly Drawn[]> {
  const behaviour: fc.Arbitrary<Behaviour> = tame
    ? weighted([30, 'ok'], [3, 'fails'], [1, 'unreachable'])
    : weighted(
        [40, 'ok'],
        [2, 'bad'],
        [1, 'misfit'],
        [3, 'fails'],
        [1, 'fails-after'],
        [1, 'fails-once'],
        [2, 'ok-once'],
        [1, 'unreachable'],
        [1, 'lost-before'],
        [1, 'lost-after'],
        [1, 'breaks-before'],
        [1, 'breaks-after'],
        [1, 'hangs-before'],
        [1, 'hangs-after'],
        [1, 'deaf'],
        [1, 'deaf-fails'],
        [1, 'times-out'],
      )
  const loop = fc.record({
    items: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }),
    kind: weighted([3, 'texts'], [2, 'objects'], [2, 'expression'], [2, 'result'], [2, 'hosts']),
    maxParallel: some(fc.integer({ min: 1, max: 3 }), 2),
    maxFailures: some(fc.integer({ min: 1, max: 3 }), 2),
    batches: some(fc.array(fc.constantFrom<number | string>(1, 2, '50%', '10%'), { minLength: 1, maxLength: 2 }), 2),
    guard: some(fc.constantFrom('flag', 'true'), 2),
  })
  const common = {
    when: some(weighted([2, 'true'], [2, 'false'], [1, 'flag'], [4, 'after']), 4),
    onFailure: some(weighted([3, 'continue'], [tame ? 0 : 1, 'pause']), 4),
    loop: some(loop, 4),
  }
  const timeout = tame ? fc.constant(undefined) : some(fc.constantFrom(4, 15), 5)
  const leafOf = (rollback: fc.Arbitrary<readonly Drawn[] | undefined>) =>
    fc.record({
      kind: fc.constant('leaf' as const),
      action: weighted([5, 'change'], [2, 'read'], [2, 'again'], [2, 'settled'], [1, 'planned']),
      does: fc.array(behaviour, { minLength: 1, maxLength: 3 }),
      verify: tame ? fc.constant(false) : fc.boolean(),
      attempts: some(fc.constantFrom(2, 3), 3),
      until: some(fc.constantFrom('fail', 'wait'), 2),
      inDoubt: some(tame ? fc.constant('rerun') : fc.constantFrom('rerun', 'fail'), 3),
      blind: tame ? fc.constant(false) : fc.boolean(),
      lookFails: tame ? fc.constant(false) : weighted([3, false], [1, true]),
      timeout,
      ...common,
      rollback,
    })
  const plain = leafOf(fc.constant(undefined))
  const { steps } = fc.letrec<{ steps: readonly Drawn[]; node: Drawn; leaf: Drawn; undo: readonly Drawn[] }>((tie) => ({
    undo: fc.array(
      fc.oneof(
        { weight: 5, arbitrary: plain as fc.Arbitrary<Drawn> },
        {
          weight: 1,
          arbitrary: fc.record({
            kind: fc.constant('block' as const),
            steps: fc.array(plain, { minLength: 1, maxLength: 2 }),
            rescue: some(fc.array(plain, { minLength: 1, maxLength: 1 })),
            always: some(fc.array(plain, { minLength: 1, maxLength: 1 })),
          }) as fc.Arbitrary<Drawn>,
        },
      ),
      { minLength: 1, maxLength: 2 },
    ),
    leaf: leafOf(some(tie('undo'), 1)) as unknown as fc.Arbitrary<Drawn>,
    steps: fc.array(tie('node'), { minLength: 1, maxLength: 4, depthIdentifier: 'steps' }),
    node: fc.oneof(
      { depthSize: 'small', maxDepth: 3, depthIdentifier: 'node' },
      { weight: 6, arbitrary: tie('leaf') },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('confirm' as const),
          says: tame ? fc.constant('later') : weighted([4, 'yes'], [1, 'no'], [2, 'later']),
          when: common.when,
          onFailure: some(fc.constant('continue'), 4),
        }) as fc.Arbitrary<Drawn>,
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('let' as const), when: common.when }) as fc.Arbitrary<Drawn>,
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('block' as const),
          steps: tie('steps'),
          rescue: some(tie('steps'), 1),
          always: some(tie('steps'), 1),
          rollback: some(tie('undo'), 1),
          timeout,
          ...common,
        }) as fc.Arbitrary<Drawn>,
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('parallel' as const),
          branches: fc.array(tie('node'), { minLength: 2, maxLength: 3, depthIdentifier: 'steps' }),
          maxParallel: some(fc.constantFrom(1, 2), 1),
          timeout,
          when: common.when,
          onFailure: some(fc.constant('continue'), 3),
        }) as fc.Arbitrary<Drawn>,
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('call' as const),
          steps: tie('steps'),
          lock: fc.boolean(),
          verify: tame ? fc.constant(false) : weighted([5, false], [1, true]),
          rollback: some(tie('undo'), 1),
          timeout,
          ...common,
        }) as fc.Arbitrary<Drawn>,
      },
    ),
  }))
  return steps
}

export function madeRunbook(wildness: Wildness): fc.Arbitrary<Made> {
  return fc
    .record({ flag: fc.boolean(), lock: fc.boolean(), steps: drawnSteps(wildness) })
    .map(({ flag, lock, steps }) => ({ flag, lock, steps: finished(steps) }))
}

/** Gives ids, and takes out what the language does not allow. */
function finished(drawn: readonly Drawn[]): readonly Node[] {
  let count = 0
  return sequence(drawn, false)

  function sequence(list: readonly Drawn[] | undefined, cleanUp: boolean): readonly Node[] {
    const nodes: Node[] = []
    for (const each of list ?? []) nodes.push(...node(each, nodes, cleanUp))
    return nodes
  }

  function node(each: Drawn, before: readonly Node[], cleanUp: boolean): readonly Node[] {
    const id = `${each.kind[0]}${++count}`
    const more: Node[] = []
    const last = before.findLast(({ kind }) => kind !== 'let')
    const when = each['when'] === 'after' ? (last ? { after: last.id } : undefined) : (each['when'] as Common['when'])
    let loop = each['loop'] as (Omit<Loop, 'as' | 'kind'> & { readonly kind: Loop['kind'] }) | undefined
    if (loop?.kind === 'result' && !cleanUp)
      // a step right before it gives the list
      more.push({
        kind: 'leaf',
        id: `g${++count}`,
        action: count % 2 === 0 ? 'read' : 'change',
        does: ['ok'],
        verify: false,
        blind: true,
        gives: loop.items,
        rollback: [],
      })
    else if (loop?.kind === 'result') loop = { ...loop, kind: 'texts' }
    // to have a group or a loop tried again is to have what went well in it done again: a person may want that
    const pauses = each.kind === 'leaf' && !loop
    const onFailure = each['onFailure'] === 'pause' && !pauses ? undefined : (each['onFailure'] as Common['onFailure'])
    const common: Common = {
      id,
      ...(when !== undefined && { when }),
      ...(onFailure !== undefined && { onFailure }),
      ...(each['timeout'] !== undefined && { timeout: each['timeout'] as number }),
      ...(loop && { loop: { ...pruned(loop), as: `v${count}` } as Loop }),
      rollback: sequence(each['rollback'] as readonly Drawn[] | undefined, true),
    }
    const steps = () => sequence(each['steps'] as readonly Drawn[], cleanUp)
    switch (each.kind) {
      case 'leaf': {
        const action = each['action'] as Leaf['action']
        const reads = action === 'read'
        const until = reads ? (each['until'] as Leaf['until']) : undefined
        const attempts = until === undefined ? (each['attempts'] as number | undefined) : undefined
        const inDoubt = reads ? undefined : (each['inDoubt'] as Leaf['inDoubt'])
        more.push({
          ...common,
          kind: 'leaf',
          action,
          does: each['does'] as readonly Behaviour[],
          verify: each['verify'] === true,
          blind: each['blind'] === true,
          lookFails: each['lookFails'] === true,
          ...(until !== undefined && { until }),
          ...(attempts !== undefined && { attempts }),
          ...(inDoubt !== undefined && { inDoubt }),
        })
        break
      }
      case 'confirm':
        more.push({ ...common, kind: 'confirm', says: each['says'] as 'yes' })
        break
      case 'let':
        more.push({ ...common, kind: 'let' })
        break
      case 'block': {
        const inside = steps()
        const rescue = sequence(each['rescue'] as readonly Drawn[] | undefined, cleanUp)
        const never = inside.every(({ onFailure }) => onFailure === 'continue')
        more.push({
          ...common,
          kind: 'block',
          steps: inside,
          rescue: never ? [] : rescue,
          always: sequence(each['always'] as readonly Drawn[] | undefined, cleanUp),
        })
        break
      }
      case 'parallel': {
        const branches = (each['branches'] as readonly Drawn[]).map((branch) => {
          const made = node(branch, [], cleanUp)
          const [only] = made
          // the step that gives a list has to stand in the same branch
          return made.length === 1 && only
            ? only
            : ({ kind: 'block', id: `b${++count}`, steps: made, rescue: [], always: [], rollback: [] } as Block)
        })
        more.push({
          ...common,
          kind: 'parallel',
          branches,
          ...(each['maxParallel'] !== undefined && { maxParallel: each['maxParallel'] as number }),
        })
        break
      }
      case 'call':
        more.push({
          ...common,
          kind: 'call',
          steps: steps(),
          lock: each['lock'] === true,
          verify: each['verify'] === true,
        })
    }
    return more
  }
}

function pruned<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}

// ---------------------------------------------------------------- and written down

type Written = { [word: string]: unknown }

export interface Texts {
  readonly main: string
  readonly called: { readonly [name: string]: string }
}

/** A runbook and those that it calls, as YAML. */
export function textsOf(made: Made): Texts {
  const called: { [name: string]: string } = {}
  const main = yaml({
    apiVersion: 'runbook/v1',
    name: 'made',
    inputs: { flag: { type: 'boolean', default: true } },
    ...(made.lock && { locks: ['outer', 'another'] }),
    steps: made.steps.map((node) => written(node, [], made.steps)),
  })
  return { main, called }

  function written(node: Node, around: readonly Place[], beside: readonly Node[]): Written {
    const place: readonly Place[] = node.loop ? [...around, { as: node.loop.as, kind: node.loop.kind }] : around
    const inside = (nodes: readonly Node[]) => nodes.map((each) => written(each, place, nodes))
    const common: Written = {
      id: node.id,
      ...(node.when !== undefined && { when: whenOf(node.when) }),
      ...(node.onFailure !== undefined && { on_failure: node.onFailure }),
      ...(node.timeout !== undefined && { timeout: `${node.timeout}s` }),
      ...(node.loop && loopOf(node.loop, node, beside)),
      ...(node.rollback.length > 0 && { rollback: inside(node.rollback) }),
    }
    switch (node.kind) {
      case 'leaf':
        return {
          ...common,
          action: `test.${node.action}`,
          with: { what: nameOf(node.id, place) },
          ...(node.verify && { verify: [{ that: 'result.good' }] }),
          ...(node.attempts !== undefined && { retry: { attempts: node.attempts, delay: '2s' } }),
          ...(node.until !== undefined && {
            until: { done: 'result.good', every: '3s', timeout: '10s', unreachable: node.until },
          }),
          ...(node.inDoubt !== undefined && { in_doubt: node.inDoubt }),
        }
      case 'confirm':
        return { ...common, action: 'human.confirm', with: { message: `${nameOf(node.id, place)}?` } }
      case 'let':
        return { ...common, let: { one: 'inputs.flag ? 1 : 2' } }
      case 'block':
        return {
          ...common,
          block: inside(node.steps),
          ...(node.rescue.length > 0 && { rescue: inside(node.rescue) }),
          ...(node.always.length > 0 && { always: inside(node.always) }),
        }
      case 'parallel':
        return {
          ...common,
          parallel: node.branches.map((branch) => written(branch, place, [branch])),
          ...(node.maxParallel !== undefined && { max_parallel: node.maxParallel }),
        }
      case 'call': {
        const name = `called-${node.id}`
        called[name] = yaml({
          apiVersion: 'runbook/v1',
          name,
          inputs: { flag: { type: 'boolean' }, tag: { type: 'string' } },
          ...(node.lock && { locks: [`lock/${node.id}`] }),
          steps: node.steps.map((each) => written(each, [{ as: '', kind: 'tag' }], node.steps)),
          outputs: { good: 'false' },
        })
        return {
          ...common,
          runbook: name,
          with: { flag: '{{ inputs.flag }}', tag: nameOf('', place) },
          ...(node.verify && { verify: [{ that: 'result.good' }] }),
        }
      }
    }
  }
}

interface Place {
  readonly as: string
  readonly kind: Loop['kind'] | 'tag'
}

/** How what a step touches is named, as a template: its id and the items around it. */
function nameOf(id: string, place: readonly Place[]): string {
  return `${id}${place.map(({ as, kind }) => (kind === 'tag' ? '{{ inputs.tag }}' : `|{{ ${as}${kind === 'objects' ? '.id' : kind === 'hosts' ? '.name' : ''} }}`)).join('')}`
}

function whenOf(when: NonNullable<Common['when']>): string {
  if (typeof when === 'object') return `steps.${when.after}.status == 'succeeded'`
  return when === 'flag' ? 'inputs.flag' : when
}

export const hostNames = ['h1', 'h2', 'h3', 'h4']

/** The items of a loop, in the order in which they come. */
export function itemsOf({ kind, items }: Loop): readonly string[] {
  return kind === 'hosts' ? hostNames.slice(0, Math.max(1, items.length)) : items
}

function loopOf(loop: Loop, node: Node, beside: readonly Node[]): Written {
  const { kind, items, as } = loop
  const giver = beside[beside.indexOf(node) - 1]
  const list =
    kind === 'objects'
      ? items.map((id) => ({ id, other: 1 }))
      : kind === 'expression'
        ? `[${items.map((item) => JSON.stringify(item)).join(', ')}]`
        : kind === 'result'
          ? `steps.${giver?.id}.result.value`
          : items
  return {
    ...(kind === 'hosts' ? { targets: itemsOf(loop).join(','), as } : { for_each: list, as }),
    ...(kind === 'objects' && { key: `${as}.id` }),
    ...(kind === 'result' && { key: as }),
    ...(loop.maxParallel !== undefined && { max_parallel: loop.maxParallel }),
    ...(loop.maxFailures !== undefined && { max_failures: loop.maxFailures }),
    ...(loop.batches && { batches: loop.batches }),
    ...(loop.guard && { guards: [{ that: loop.guard === 'flag' ? 'inputs.flag' : 'true' }] }),
  }
}

const yaml = (document: Written): string => `${JSON.stringify(document, undefined, 1)}\n`
