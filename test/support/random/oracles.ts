/**
 * What must be true of any run, said without the engine: from the tree that was made up, from what was done to the world,
 * and from what the person said. The transcript is asked only whether an end was on disk, and whether it tells the truth.
 */
import { readTranscript } from '../../../engine/journal/chain.ts'
import type { JsonObject } from '../../../engine/json.ts'
import type { Entry } from '../../../engine/run/event.ts'
import type { Outcome } from '../../../engine/run/outcome.ts'
import { renderHtml } from '../../../engine/view/html.ts'
import { renderJson } from '../../../engine/view/json.ts'
import { renderMarkdown } from '../../../engine/view/markdown.ts'
import { renderText } from '../../../engine/view/text.ts'
import type { Call, Confirm, Leaf, Loop, Node } from './runbook.ts'
import { itemsOf } from './runbook.ts'
import type { Decision, Story, Touch } from './world.ts'
import { behaviourOf, idOf, insideOf, nodesOf } from './world.ts'

type State = 'ok' | 'skipped' | 'failed' | 'refused' | 'cancelled'

interface Unit {
  readonly node: Node
  readonly suffix: string
  readonly need: 'must' | 'may' | 'never'
}

interface Walked {
  readonly state: State
  readonly units: readonly Unit[]
}

interface Around {
  /** Whether cancelling does not touch it. */
  readonly shield: boolean
  /** A group around it has a time limit. */
  readonly limited: boolean
}

const good = (state: State) => state === 'ok' || state === 'skipped'

/** All that is wrong with a story, each with the oracle that says so; with or without what it all had to come to. */
export function problemsOf(story: Story, { structure: judged = true } = {}): readonly string[] {
  const wrong = [...story.wrong]
  const nodes = nodesOf(story.made)
  const { entries, broken, torn } = readTranscript(story.disk.lines.join(''))
  if (broken || torn) wrong.push(`chain: ${broken?.why ?? 'torn'}`)
  const facts = factsOf(story, entries)
  wrong.push(...repeats(story, nodes, facts), ...crowds(story))
  const last = story.processes.at(-1)
  const finished = last !== undefined && [0, 1, 3, 130].includes(last.exit ?? -1)
  if (!finished) {
    if (last?.threw === undefined && wrong.length === 0)
      wrong.push(
        `exit: it never ended: ${story.processes.map(({ exit, killed }) => (killed ? 'killed' : exit)).join(', ')}`,
      )
    return wrong
  }
  if (story.locked.size > 0) wrong.push(`locks: still held at the end: ${[...story.locked].join(', ')}`)
  // what was tried again is undone for each time, and the second time may come out otherwise
  const undoneTwice = story.decisions.some(
    ({ what, said }) => said === 'retry' && nodes.get(idOf(what))?.rollback.length,
  )
  if (judged && !undoneTwice) wrong.push(...structure(story, facts, entries, last.exit as number))
  if (story.cancelledAt !== undefined) wrong.push(...beginnings(story, nodes))
  return [...new Set(wrong)]
}

interface Facts {
  readonly touches: ReadonlyMap<string, readonly Touch[]>
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
  /** How an attempt ended, as far as that was written. */
  readonly recorded: ReadonlyMap<string, Outcome>
  /** How the transcript says that a thing ended, at last. */
  readonly told: ReadonlyMap<string, Outcome>
  /** How often it was begun, as far as the disk knows. */
  readonly begins: ReadonlyMap<string, number>
}

function factsOf(story: Story, entries: readonly Entry[]): Facts {
  const recorded = new Map<string, Outcome>()
  const told = new Map<string, Outcome>()
  const open = new Map<string, string>()
  const whats = new Map<string, string>()
  const begun = new Set<string>()
  const begins = new Map<string, number>()
  for (const entry of entries) {
    if (entry.type === 'step.began' && entry.kind === 'action' && entry.attempt !== undefined) {
      const what = (entry.params as JsonObject | undefined)?.['what']
      if (typeof what === 'string') begins.set(what, (begins.get(what) ?? 0) + 1)
      open.set(entry.key, entry.attempt)
      begun.add(entry.attempt)
      if (!entry.key.endsWith('!settled') && typeof what === 'string') whats.set(entry.key, what)
    }
    if (entry.type !== 'step.ended' || entry.kind !== 'action') continue
    const attempt = open.get(entry.key)
    const doubt = 'error' in entry.outcome && entry.outcome.error.code === 'in_doubt'
    if (attempt !== undefined && !doubt) recorded.set(attempt, entry.outcome)
    open.delete(entry.key)
    const what = whats.get(entry.key)
    if (what !== undefined) told.set(what, entry.outcome)
  }
  const group = <T extends { readonly what: string }>(all: readonly T[]) => {
    const by = new Map<string, T[]>()
    for (const each of all) by.set(each.what, [...(by.get(each.what) ?? []), each])
    return by
  }
  // a read that the disk knows nothing of has left nothing behind
  const left = story.touches.filter(({ action, attempt }) => action !== 'read' || begun.has(attempt))
  return { touches: group(left), decisions: group(story.decisions), recorded, told, begins }
}

/** Oracles 1 and 2: nothing is done again that had ended, and nothing in doubt without a reason. */
function repeats({ decisions, mends }: Story, nodes: ReadonlyMap<string, Node>, facts: Facts): readonly string[] {
  const wrong: string[] = []
  const owners = ownersIn(nodes)
  // what a person had tried again was done as often, and each time is undone
  const undoneAnew = (what: string) =>
    decisions.some(
      (each) =>
        each.said === 'retry' &&
        idOf(each.what) === owners.get(idOf(what)) &&
        what.slice(idOf(what).length).startsWith(each.what.slice(idOf(each.what).length)),
    )
  const cleanUp = idsIn([...nodes.values()].flatMap((node) => (node.kind === 'block' ? node.always : [])))
  for (const [what, all] of facts.touches) {
    const leaf = nodes.get(idOf(what)) as Leaf
    for (const [index, next] of all.entries()) {
      const before = all[index - 1]
      if (!before || undoneAnew(what)) continue
      const outcome = facts.recorded.get(before.attempt)
      if (before.attempt === next.attempt) {
        if (leaf.until === undefined) wrong.push(`repeat: ${what} is done twice in one attempt`)
        continue
      }
      // what had failed was mended, and the run resumed: what it judged is read anew, and what is done in every case once more
      const mended = mends.some((n) => before.n < n && n < next.n)
      if (outcome?.status === 'succeeded') {
        if (mended && (leaf.action === 'read' || cleanUp.has(leaf.id))) continue
        wrong.push(`repeat: ${what} is done again, and that it was done is on disk`)
        continue
      }
      if (leaf.action === 'read') continue
      const said = decisions.filter((each) => each.what === what && each.n > before.n && each.n < next.n)
      const wanted = said.some(
        ({ said: word, kind }) =>
          (kind === 'settled' && word === 'no') ||
          (kind === 'doubt' && word === 'again') ||
          (kind === 'paused' && word === 'retry'),
      )
      if (wanted) continue
      const known = said.some(({ said: word }) => word === 'done' || word === 'yes')
      if (mended && known && cleanUp.has(leaf.id)) continue
      const free = leaf.action === 'again' || leaf.inDoubt === 'rerun'
      if (outcome === undefined || outcome.status === 'unknown') {
        if (!free) wrong.push(`doubt: ${what} is done again, and nobody knew whether it had happened`)
        continue
      }
      if (mended && free) continue
      const retries =
        (leaf.attempts !== undefined || mended) &&
        (leaf.action === 'again' ||
          outcome.status === 'unreachable' ||
          (outcome.status === 'failed' && before.effect === undefined))
      if (!retries) wrong.push(`repeat: ${what} is done again after it ended ${outcome.status}`)
    }
  }
  return wrong
}

/**
 * A run of which everything was mended comes to its end when it is resumed, or to the end of undoing what it did; unless
 * somebody wants something else, or what its own text says can never hold.
 */
export function unfinished({ processes, cancelled, disk, mended }: Story): readonly string[] {
  const { exit } = processes.at(-1) ?? {}
  const { entries } = readTranscript(disk.text)
  const ended = entries.findLast((entry) => entry.type === 'run.ended')
  if (!mended || exit === 0 || exit === 3 || cancelled || ended?.status === 'rolled_back') return []
  const last = new Map(entries.flatMap((entry) => (entry.type === 'step.ended' ? [[entry.key, entry] as const] : [])))
  // time goes on while nobody is there
  const killed = processes.slice(1).some((each) => each.killed)
  const never = [...last.values()].some(
    ({ kind, outcome }) =>
      'error' in outcome &&
      ((killed && ['timed_out', 'in_doubt'].includes(outcome.error.code)) ||
        outcome.error.code === 'guard_failed' ||
        (kind === 'runbook' && outcome.error.code === 'verify_failed')),
  )
  return never ? [] : [`mended: it ended with ${exit} all the same`]
}

/** Oracle 9: never more at the same time than `max_parallel` says. */
function crowds({ touches, made }: Story): readonly string[] {
  const wrong: string[] = []
  interface Crowd {
    readonly most: number
    readonly spans: Map<string, { from: number; to: number; process: number }>
  }
  const crowds = new Map<string, Crowd>()
  const above = aboveIn(made.steps)
  for (const touch of touches) {
    const way = above.get(idOf(touch.what))
    if (!way) continue
    const tokens = touch.what.split('|').slice(1)
    let outer = ''
    for (const { node, branch } of way) {
      if (branch !== undefined && node.kind === 'parallel')
        note(`${node.id}${outer}`, node.maxParallel ?? Number.POSITIVE_INFINITY, branch, touch)
      if (branch === undefined && node.loop) {
        const item = tokens.shift() ?? ''
        note(`${node.id}${outer}`, node.loop.maxParallel ?? (node.loop.kind === 'hosts' ? 10 : 1), item, touch)
        outer += `|${item}`
      }
    }
  }
  function note(crowd: string, most: number, member: string, touch: Touch) {
    const found = crowds.get(crowd) ?? { most, spans: new Map() }
    crowds.set(crowd, found)
    const key = `${member} ${touch.process}`
    const to = touch.end?.n ?? touch.effect ?? touch.n
    const span = found.spans.get(key)
    if (span) span.to = Math.max(span.to, to)
    else found.spans.set(key, { from: touch.n, to, process: touch.process })
  }
  for (const [crowd, { most, spans }] of crowds) {
    const all = [...spans.values()]
    for (const { from, process } of all) {
      const beside = all.filter((each) => each.process === process && each.from <= from && each.to >= from).length
      if (beside > most) wrong.push(`max_parallel: ${beside} of ${crowd} at the same time, where ${most} may be`)
    }
  }
  return wrong
}

/** The loops and parallel groups around each step, its own loop the last; not for what undoes. */
function aboveIn(
  steps: readonly Node[],
): ReadonlyMap<string, readonly { readonly node: Node; readonly branch?: string }[]> {
  const all = new Map<string, readonly { readonly node: Node; readonly branch?: string }[]>()
  const visit = (list: readonly Node[], way: readonly { readonly node: Node; readonly branch?: string }[]) => {
    for (const node of list) {
      const own = node.loop ? [...way, { node }] : way
      all.set(node.id, own)
      if (node.kind === 'block') for (const part of [node.steps, node.rescue, node.always]) visit(part, own)
      if (node.kind === 'call') visit(node.steps, own)
      if (node.kind === 'parallel')
        for (const branch of node.branches) visit([branch], [...own, { node, branch: branch.id }])
    }
  }
  visit(steps, [])
  return all
}

/** Once cancelled, nothing new begins but `rescue`, `always` and `rollback`. */
function beginnings({ touches, cancelledAt = 0, made }: Story, nodes: ReadonlyMap<string, Node>): readonly string[] {
  const cleaning = new Set<string>()
  const visit = (list: readonly Node[], clean: boolean) => {
    for (const node of list) {
      if (clean) cleaning.add(node.id)
      visit(node.rollback, true)
      if (node.kind === 'block') {
        visit(node.steps, clean)
        visit(node.rescue, true)
        visit(node.always, true)
      } else if (node.kind === 'call') visit(node.steps, clean)
      else if (node.kind === 'parallel') visit(node.branches, clean)
    }
  }
  visit(made.steps, false)
  const wrong: string[] = []
  for (const touch of touches) {
    const leaf = nodes.get(idOf(touch.what))
    // what polls goes on until its signal comes
    const polls = leaf?.kind === 'leaf' && leaf.until !== undefined
    if (touch.n > cancelledAt && !cleaning.has(idOf(touch.what)) && !polls)
      wrong.push(`cancel: ${touch.what} was begun after the run was cancelled`)
  }
  return wrong
}

/** Oracles 3, 4 and 8: what had to be done was done, what had not was not, what was done is undone, and the end says so. */
function structure(story: Story, facts: Facts, entries: readonly Entry[], exit: number): readonly string[] {
  const wrong: string[] = []
  const { made, cancelled } = story
  const touched = (node: Node, suffix: string): readonly Touch[] => touchesIn(facts, [node], suffix)
  const uncut = story.processes.every(({ killed }) => !killed)
  const accounted = new Set<string>()
  const undoes = undoIdsIn(made.steps)
  // whether it was cancelled before or after something that leaves no mark
  let vague = false

  const root = sequence(made.steps, '', { shield: false, limited: false })
  let after = story.touches.findLast(({ what }) => !undoes.has(idOf(what)))?.n ?? 0
  let undone = 0
  let stuck = 0
  for (const { node, suffix, need } of root.units.toReversed()) {
    const inside = touchesIn(facts, node.rollback, suffix)
    const where = `${node.id}${suffix}`
    if (good(root.state) || need === 'never') {
      if (inside.length > 0)
        wrong.push(`undo: ${where} is undone, ${good(root.state) ? 'and the run went well' : 'and it was not done'}`)
      continue
    }
    if (need === 'may' && inside.length === 0 && !leavesMarks(node.rollback[0] as Node, new Map())) undone = Number.NaN
    if (need === 'may' && inside.length === 0) continue
    const { state } = sequence(node.rollback, suffix, { shield: true, limited: false })
    const first = Math.min(...inside.map(({ n }) => n))
    if (inside.length > 0 && first < after) wrong.push(`order: ${where} is undone too early`)
    after = Math.max(after, ...inside.map(({ end, n }) => end?.n ?? n))
    if (good(state)) undone++
    else stuck++
  }
  if (vague) return []
  for (const what of facts.touches.keys()) {
    const id = idOf(what)
    if (undoes.has(id) && !accounted.has(what)) wrong.push(`undo: ${what} was done, and nothing that was done has it`)
    else if (!accounted.has(what)) wrong.push(`reach: ${what} was done, and was not to be reached`)
  }
  const expected =
    root.state === 'cancelled'
      ? 'cancelled'
      : root.state === 'refused'
        ? 'refused'
        : good(root.state)
          ? 'succeeded'
          : undone > 0 && stuck === 0
            ? 'rolled_back'
            : 'failed'
  const ended = entries.findLast((entry) => entry.type === 'run.ended')
  const status = ended?.type === 'run.ended' ? ended.status : 'nothing'
  if (status !== expected && !(Number.isNaN(undone) && ['failed', 'rolled_back'].includes(status)))
    wrong.push(`status: it ended ${status}, and was ${expected}`)
  const codes: { readonly [status: string]: number } = {
    succeeded: 0,
    cancelled: 130,
    refused: 3,
    failed: 1,
    rolled_back: 1,
  }
  if (codes[status] !== exit) wrong.push(`exit: ${exit} for ${status}`)
  return wrong

  function sequence(list: readonly Node[], suffix: string, around: Around): Walked {
    const states = new Map<string, State>()
    const units: Unit[] = []
    for (const [index, node] of list.entries()) {
      const later = list.slice(index + 1).some((rest) => seen(rest, suffix))
      const { state, units: more } = step(node, suffix, around, states, later)
      units.push(...more)
      states.set(node.id, state)
      if (good(state) || (node.onFailure === 'continue' && state !== 'cancelled')) continue
      for (const rest of list.slice(index + 1))
        for (const { what } of touched(rest, suffix))
          wrong.push(`reach: ${what} was done after ${node.id} ended ${state}`)
      return { state, units }
    }
    return { state: 'ok', units }
  }

  function lastPause(node: Node, suffix: string): string | undefined {
    return facts.decisions.get(`${node.id}${suffix}`)?.findLast(({ kind }) => kind === 'paused')?.said
  }

  function step(
    node: Node,
    suffix: string,
    around: Around,
    states: ReadonlyMap<string, State>,
    later: boolean,
  ): Walked {
    if (cancelled && !around.shield && !later && !seen(node, suffix)) {
      // it was cancelled before it began; where nothing would be seen of it anyhow nobody can tell
      if (!leavesMarks(node, states) || around.limited) vague = true
      return { state: 'cancelled', units: [] }
    }
    return node.loop ? loop(node, node.loop, suffix, around, states) : once(node, suffix, around, states)
  }

  /** Whether anything of it was begun, or asked. */
  function seen(node: Node, suffix: string): boolean {
    if (touched(node, suffix).length > 0) return true
    const ids = idsIn([node])
    if ([...facts.begins.keys()].some((what) => isAt(what, ids, suffix))) return true
    return story.decisions.some(({ what, kind }) => kind !== 'looked' && isAt(what, ids, suffix))
  }

  /** Whether something would surely be seen of it. */
  function leavesMarks(node: Node, states: ReadonlyMap<string, State>): boolean {
    if (!whether(node, states)) return false
    if (node.loop && itemsOf(node.loop).length === 0) return false
    const first = (list: readonly Node[]) => list.slice(0, 1).some((each) => leavesMarks(each, new Map()))
    switch (node.kind) {
      case 'leaf':
      case 'confirm':
        return true
      case 'let':
        return false
      case 'parallel':
        return node.branches.some((branch) => leavesMarks(branch, new Map()))
      default:
        return first(node.steps)
    }
  }

  function whether(node: Node, states: ReadonlyMap<string, State>): boolean {
    const { when } = node
    if (when === undefined || when === 'true') return true
    if (when === 'false') return false
    if (when === 'flag') return made.flag
    return states.get(when.after) === 'ok'
  }

  function loop(node: Node, over: Loop, suffix: string, around: Around, states: ReadonlyMap<string, State>): Walked {
    const items = itemsOf(over)
    if (items.length === 0) return { state: 'skipped', units: [] }
    const inside: Around = { ...around, limited: around.limited || node.timeout !== undefined }
    const most = over.maxFailures ?? 1
    const ended: { readonly item: string; readonly state: State; readonly first: number; readonly end: number }[] = []
    const units: Unit[] = []
    const sizes = batchesOf(over, items.length)
    let from = 0
    let stopped: State | undefined
    for (const size of sizes) {
      const batch = items.slice(from, from + size)
      if (stopped) {
        for (const item of batch)
          for (const { what } of touched(node, `${suffix}|${item}`))
            wrong.push(`reach: ${what} was done after its loop had stopped`)
        from += size
        continue
      }
      from += size
      const failures = () => ended.filter(({ state }) => !good(state)).toSorted((a, b) => a.end - b.end)
      for (const item of batch) {
        const marks = touched(node, `${suffix}|${item}`)
        const first = Math.min(...marks.map(({ n }) => n))
        const cut = cancelled && !around.shield
        if ((failures().length >= most || cut) && !seen(node, `${suffix}|${item}`)) {
          if (!leavesMarks({ ...node, loop: undefined } as unknown as Node, states)) vague = true
          continue
        }
        const ran = once(node, `${suffix}|${item}`, inside, states)
        units.push(...ran.units)
        const ids = idsIn([node])
        const said = story.decisions.filter(({ what }) => isAt(what, ids, `${suffix}|${item}`))
        const ends = [...marks.map(({ end, n }) => end?.n ?? n), ...said.map(({ n }) => n)]
        ended.push({ item, state: ran.state, first, end: Math.max(0, ...ends) })
      }
      const bad = failures()
      const last = bad[most - 1]
      if (last && uncut && bad.every(({ end }) => end > 0))
        for (const { item, first } of ended)
          if (first > last.end && Number.isFinite(first) && last.end > 0)
            wrong.push(`max_failures: ${node.id}${suffix}|${item} was begun after ${most} had failed`)
      if (bad.length >= most) stopped = worst(bad.map(({ state }) => state))
      else if (cancelled && !around.shield && ended.length < from) stopped = 'cancelled'
      else if (over.guard === 'flag' && !made.flag && (from < items.length || over.guard !== undefined))
        stopped = 'failed'
    }
    const missing = items.filter((item) => !ended.some((each) => each.item === item))
    const states2 = ended.map(({ state }) => state)
    const lastSeen = Math.max(0, ...ended.map(({ end }) => end))
    const stoppedBefore = stopped !== undefined && stopped !== 'cancelled' && lastSeen < (story.cancelledAt ?? 0)
    // what kept the rest from beginning, the failures or the person, is anybody's guess
    if (cancelled && !around.shield && missing.length > 0 && !stoppedBefore && stopped === 'failed') vague = true
    if (cancelled && !around.shield && missing.length > 0 && !stoppedBefore) return { state: 'cancelled', units }
    const bad = states2.filter((state) => !good(state))
    if (bad.length > 0) return { state: worst(bad), units }
    return { state: stopped ?? 'ok', units }
  }

  function once(node: Node, suffix: string, around: Around, states: ReadonlyMap<string, State>): Walked {
    if (!whether(node, states)) {
      for (const { what } of touched(node, suffix)) wrong.push(`reach: ${what} was done, and \`when\` is false`)
      return { state: 'skipped', units: [] }
    }
    const limited = around.limited || node.timeout !== undefined
    const own = (need: Unit['need']): readonly Unit[] => (node.rollback.length > 0 ? [{ node, suffix, need }] : [])
    switch (node.kind) {
      case 'leaf': {
        const { state, need } = leafState(node, `${node.id}${suffix}`, { ...around, limited })
        const passed = node.onFailure === 'pause' && state !== 'cancelled' && lastPause(node, suffix) === 'continue'
        return { state: passed && state !== 'ok' ? 'skipped' : state, units: own(need) }
      }
      case 'confirm':
        return { state: confirmState(node, `${node.id}${suffix}`, around), units: [] }
      case 'let':
        return { state: 'ok', units: [] }
      case 'block': {
        const body = sequence(node.steps, suffix, { ...around, limited })
        let { state } = body
        const units = [...body.units]
        if (!good(state) && state !== 'refused' && node.rescue.length > 0) {
          const rescued = sequence(node.rescue, suffix, { ...around, shield: true })
          units.push(...rescued.units)
          state = good(rescued.state) ? (state === 'cancelled' ? 'cancelled' : 'ok') : rescued.state
        } else
          for (const { what } of touchesIn(facts, node.rescue, suffix))
            wrong.push(`rescue: ${what} was done, and ${node.id} ended ${state}`)
        const cleaned = sequence(node.always, suffix, { shield: true, limited: false })
        units.push(...cleaned.units)
        if (good(state) && !good(cleaned.state)) state = cleaned.state
        return { state, units: [...units, ...own(good(state) ? 'must' : 'never')] }
      }
      case 'parallel': {
        const all = node.branches.map((branch) => ({
          branch,
          ...step(branch, suffix, { ...around, limited }, new Map(), false),
        }))
        const bad = all.filter(
          ({ branch, state }) => !good(state) && (branch.onFailure !== 'continue' || state === 'cancelled'),
        )
        return {
          state: bad.length > 0 ? worst(bad.map(({ state }) => state)) : 'ok',
          units: all.flatMap(({ units }) => units),
        }
      }
      case 'call': {
        const { state, units } = sequence(node.steps, suffix, { ...around, limited })
        if (!good(state)) return { state, units: [...units, ...own('never')] }
        return { state: (node as Call).verify ? 'failed' : 'ok', units: [...units, ...own('must')] }
      }
    }
  }

  function confirmState({ says }: Confirm, what: string, around: Around): State {
    const said = facts.decisions.get(what)?.findLast(({ kind }) => kind === 'confirm')?.said
    if (said === undefined) {
      if (cancelled && !around.shield) return 'cancelled'
      wrong.push(`missing: nobody was asked ${what} (${says})`)
      return 'failed'
    }
    return said === 'yes' ? 'ok' : 'refused'
  }

  function leafState(leaf: Leaf, what: string, around: Around): { readonly state: State; readonly need: Unit['need'] } {
    accounted.add(what)
    const all = facts.touches.get(what) ?? []
    const told = facts.told.get(what)
    const found = judged()
    if (told && (found.state === 'ok') !== (told.status === 'succeeded') && all.length > 0)
      wrong.push(`told: the transcript says that ${what} ended ${told.status}, and it was ${found.state}`)
    return found

    function judged(): { readonly state: State; readonly need: Unit['need'] } {
      const last = all.at(-1)
      const stops = cancelled && !around.shield
      const effect = all.some((touch) => touch.effect !== undefined)
      const changes = leaf.action !== 'read'
      const sees = leaf.action === 'settled' && !leaf.blind && !leaf.lookFails
      // it may have begun in a process that died before anybody noticed
      const unseen = changes && (facts.begins.get(what) ?? 0) > new Set(all.map(({ attempt }) => attempt)).size
      // what may have happened; where it can be seen, only what did
      const midway: Unit['need'] = !changes ? 'may' : effect ? 'must' : sees ? 'never' : 'may'
      const decision = facts.decisions
        .get(what)
        ?.findLast(
          ({ n, kind, said }) => n > (last?.n ?? 0) && ((kind === 'settled' && said !== 'unknown') || kind === 'doubt'),
        )
      if (decision?.said === 'abort') return { state: 'failed', need: 'never' }
      if (decision?.said === 'done') return { state: 'ok', need: 'must' }
      if (decision?.said === 'yes')
        return { state: leaf.verify && behaviourOf(leaf, what) === 'bad' ? 'failed' : 'ok', need: 'must' }
      if (decision) {
        const lost = last?.end?.how === 'unknown' || last?.end?.how === 'broke'
        const gaveUp = decision.said === 'no' && lost && all.length > 1
        if (stops) return { state: gaveUp && told?.status === 'failed' ? 'failed' : 'cancelled', need: 'never' }
        if (around.limited || gaveUp) return { state: 'failed', need: 'never' }
        wrong.push(`missing: ${what} was to be done, since it had not happened`)
        return { state: 'failed', need: 'may' }
      }
      const how = last && facts.recorded.has(last.attempt) ? last.end?.how : undefined
      if (!last || how === undefined) {
        if (leaf.inDoubt === 'fail' && told?.status === 'unknown') return { state: 'failed', need: 'never' }
        if (stops) return { state: 'cancelled', need: last ? midway : unseen ? 'may' : 'never' }
        if (around.limited) return { state: 'failed', need: last ? midway : unseen ? 'may' : 'never' }
        wrong.push(last ? `missing: ${what} was cut off, and never looked at again` : `missing: ${what} was never done`)
        return { state: 'failed', need: 'may' }
      }
      if (how === 'ok') return { state: 'ok', need: 'must' }
      if (last.stopped !== undefined && how !== 'bad')
        return { state: last.stopped === 'cancelled' ? 'cancelled' : 'failed', need: midway }
      switch (how) {
        case 'bad':
          if (leaf.until !== undefined)
            return { state: last.stopped === 'cancelled' || stops ? 'cancelled' : 'failed', need: 'may' }
          if (leaf.verify && last.stopped !== undefined)
            return { state: last.stopped === 'cancelled' ? 'cancelled' : 'failed', need: midway }
          return leaf.verify ? { state: 'failed', need: 'must' } : { state: 'ok', need: 'must' }
        case 'misfit':
          return { state: 'failed', need: 'must' }
        case 'failed':
        case 'unreachable': {
          const retried = leaf.attempts === undefined || stops || around.limited || leaf.timeout !== undefined
          if (!retried && uncut && all.length < (leaf.attempts ?? 1))
            wrong.push(`retry: ${what} was tried ${all.length} times`)
          if (leaf.until === 'wait' && how === 'unreachable' && stops && told?.status !== 'timed_out')
            return { state: 'cancelled', need: 'may' }
          return {
            state: 'failed',
            need: effect && changes ? 'must' : leaf.until || unseen ? 'may' : 'never',
          }
        }
        case 'unknown':
        case 'broke': {
          const free = !changes || leaf.action === 'again' || leaf.inDoubt !== undefined
          if (!free) wrong.push(`doubt: nobody was asked what became of ${what}`)
          if (stops && free && leaf.inDoubt !== 'fail')
            return { state: told?.status === 'cancelled' ? 'cancelled' : 'failed', need: 'may' }
          return { state: 'failed', need: leaf.action === 'again' || leaf.until ? 'may' : 'never' }
        }
        case 'timed_out':
          return { state: 'failed', need: midway }
        case 'stopped':
          return { state: 'failed', need: midway }
      }
    }
  }
}

/** Cancelled is told before refused, and that before failed: no other word may hide that a person has spoken. */
function worst(states: readonly State[]): State {
  return states.find((state) => state === 'cancelled') ?? states.find((state) => state === 'refused') ?? 'failed'
}

function batchesOf({ batches = [] }: Loop, total: number): readonly number[] {
  const sizes: number[] = []
  for (let done = 0; done < total; done += sizes.at(-1) ?? total) {
    const amount = batches[Math.min(sizes.length, batches.length - 1)] ?? total
    const wanted = typeof amount === 'number' ? amount : Math.ceil((Number.parseInt(amount, 10) / 100) * total)
    sizes.push(Math.min(Math.max(1, wanted), total - done))
  }
  return sizes
}

/** The ids of some steps and of all that is done with them; not of what undoes them. */
function idsIn(list: readonly Node[]): ReadonlySet<string> {
  const ids = new Set<string>()
  const visit = (nodes: readonly Node[]) => {
    for (const node of nodes) {
      ids.add(node.id)
      if (node.kind === 'block') for (const part of [node.steps, node.rescue, node.always]) visit(part)
      if (node.kind === 'call') visit(node.steps)
      if (node.kind === 'parallel') visit(node.branches)
    }
  }
  visit(list)
  return ids
}

function isAt(what: string, ids: ReadonlySet<string>, suffix: string): boolean {
  const id = idOf(what)
  const rest = what.slice(id.length)
  return ids.has(id) && rest.startsWith(suffix) && ['', '|'].includes(rest.charAt(suffix.length))
}

function touchesIn({ touches }: Facts, list: readonly Node[], suffix: string): readonly Touch[] {
  const ids = idsIn(list)
  return [...touches].flatMap(([what, all]) => (isAt(what, ids, suffix) ? all : [])).toSorted((a, b) => a.n - b.n)
}

/** The ids of all steps that undo. */
function undoIdsIn(list: readonly Node[]): ReadonlySet<string> {
  const ids = new Set<string>()
  const visit = (nodes: readonly Node[], undoing: boolean) => {
    for (const node of nodes) {
      if (undoing) ids.add(node.id)
      visit(node.rollback, true)
      visit(
        insideOf(node).filter((each) => !node.rollback.includes(each)),
        undoing,
      )
    }
  }
  visit(list, false)
  return ids
}

/** Oracle 7: every beginning of a transcript can be shown. */
export function unshowable({ disk }: Story, few: number): readonly string[] {
  const { entries } = readTranscript(disk.lines.join(''))
  const wrong: string[] = []
  for (let part = 1; part <= few; part++) {
    const length = Math.max(1, Math.round((entries.length * part) / few))
    for (const render of [renderText, renderMarkdown, renderHtml, renderJson]) {
      try {
        const shown = render(entries.slice(0, length))
        if (shown.includes('[object Object]')) wrong.push(`show: ${length} lines: [object Object]`)
      } catch (error) {
        wrong.push(`show: the first ${length} lines: ${error instanceof Error ? error.stack : String(error)}`)
      }
    }
  }
  return wrong
}

/** Oracle 6: a dry run touches nothing, and announces what a run in which all goes well would change. */
export function unannounced(dry: Story, real: Story): readonly string[] {
  const wrong = [...dry.wrong]
  for (const { what, action } of dry.touches) if (action !== 'read') wrong.push(`dry: ${what} was changed`)
  const end = dry.processes.at(-1)?.exit
  // a person is not asked in a dry run, so what one let go on ends there
  if (end !== 0 || real.decisions.some(({ kind, said }) => kind === 'paused' && said === 'continue')) return wrong
  const { entries } = readTranscript(dry.disk.lines.join(''))
  const shown = new Set(
    entries.flatMap((entry) =>
      entry.type === 'step.previewed' ? [entry.step.slice(entry.step.lastIndexOf('/') + 1)] : [],
    ),
  )
  const nodes = nodesOf(real.made)
  // what is read is read once, and as if nothing had been changed
  const fickle = (does: readonly string[]) => does.some((each) => each === 'fails-once' || each === 'ok-once')
  if ([...nodes.values()].some((node) => node.kind === 'leaf' && node.action === 'read' && fickle(node.does)))
    return wrong
  const undoes = undoIdsIn(real.made.steps)
  const rescues = new Set([...nodes.values()].flatMap((node) => (node.kind === 'block' ? [...idsIn(node.rescue)] : [])))
  for (const { what, action } of real.touches) {
    const id = idOf(what)
    if (action !== 'read' && !undoes.has(id) && !rescues.has(id) && !shown.has(id))
      wrong.push(`dry: ${what} was changed, and a dry run had not said so`)
  }
  return wrong
}

/** Oracle 5: cut off and resumed it comes to the same. */
export function unlike(whole: Story, cut: Story): readonly string[] {
  const state = ({ touches, processes }: Story) => ({
    done: [...new Set(touches.flatMap(({ what, effect }) => (effect === undefined ? [] : [what])))].toSorted(),
    exit: processes.at(-1)?.exit,
  })
  const a = JSON.stringify(state(whole))
  const b = JSON.stringify(state(cut))
  return a === b ? [] : [`same: it came to ${a}, and cut off to ${b}`]
}

/** A story, for whoever has to understand it. */
export function told(story: Story, problems: readonly string[]): string {
  const lines = readTranscript(story.disk.lines.join('')).entries.map((entry) => {
    const { seq, type } = entry
    const key = 'key' in entry ? (entry.key ?? '') : ''
    const more =
      entry.type === 'step.ended'
        ? `${entry.kind} ${entry.outcome.status}${'error' in entry.outcome ? ` ${entry.outcome.error.code}` : ''}`
        : entry.type === 'run.ended'
          ? entry.status
          : entry.type === 'step.began'
            ? entry.kind
            : ''
    return `${seq} ${type} ${key} ${more}`
  })
  const touches = story.touches.map(
    ({ what, n, process, effect, end, stopped }) =>
      `${n} p${process} ${what}${effect === undefined ? '' : ` effect ${effect}`}${end ? ` ${end.how} ${end.n}` : ' cut'}${stopped === undefined ? '' : ` (${stopped})`}`,
  )
  const said = story.decisions.map(
    ({ n, process, what, kind, said: word }) => `${n} p${process} ${kind} ${what}: ${word}`,
  )
  return [
    ...problems,
    `made: ${squeezed(story.texts.main)}`,
    ...Object.entries(story.texts.called).map(([name, text]) => `${name}: ${squeezed(text)}`),
    `does: ${[...nodesOf(story.made).values()].flatMap((node) => (node.kind === 'leaf' && node.does.some((each) => each !== 'ok') ? [`${node.id} ${node.does.join(',')}${node.blind ? ' blind' : ''}${node.lookFails ? ' look fails' : ''}`] : [])).join('; ')}`,
    `flag ${story.made.flag}; ended ${story.processes.map(({ exit, killed, threw }) => (killed ? 'killed' : threw === undefined ? exit : 'threw')).join(', ')}; cancelled ${story.cancelledAt}`,
    ...touches,
    ...said,
    ...lines,
  ].join('\n')
}

/** A text as it was written down, on one line. */
const squeezed = (text: string): string => JSON.stringify(JSON.parse(text))

/** Which step each step undoes, by their ids. */
function ownersIn(nodes: ReadonlyMap<string, Node>): ReadonlyMap<string, string> {
  return new Map(
    [...nodes.values()].flatMap((node) => [...idsIn(node.rollback)].map((id): [string, string] => [id, node.id])),
  )
}
