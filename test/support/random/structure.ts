/**
 * What the run had to come to: the tree is walked again beside what was done, and every difference is told. Nothing here asks
 * the engine what should happen.
 */
import { readTranscript } from '../../../engine/journal/chain.ts'
import type { Entry } from '../../../engine/run/event.ts'
import type { Facts } from './facts.ts'
import { idsIn, isAt, touchesIn, undoIdsIn } from './facts.ts'
import type { Call, Confirm, Leaf, Loop, Node } from './runbook.ts'
import { itemsOf } from './runbook.ts'
import type { Around, Need, State } from './structure-leaf.ts'
import { leafEnd } from './structure-leaf.ts'
import type { Story, Touch } from './world.ts'
import { idOf } from './world.ts'

interface Unit {
  readonly node: Node
  readonly suffix: string
  readonly need: Need
}

interface Walked {
  readonly state: State
  readonly units: readonly Unit[]
}

const good = (state: State) => state === 'ok' || state === 'skipped'

/** What had to be done was done and what had not was not, what was done is undone when the run failed, and its end says so. */
export function structure(story: Story, facts: Facts, entries: readonly Entry[], exit: number): readonly string[] {
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
    const own = (need: Need): readonly Unit[] => (node.rollback.length > 0 ? [{ node, suffix, need }] : [])
    switch (node.kind) {
      case 'leaf': {
        const { state, need } = leafOf(node, `${node.id}${suffix}`, { ...around, limited })
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

  function leafOf(leaf: Leaf, what: string, around: Around): { readonly state: State; readonly need: Need } {
    accounted.add(what)
    return leafEnd(leaf, what, around, { cancelled, facts, uncut, wrong })
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

/** Cut off and resumed, a run comes to the same as one that nobody disturbed. */
export function unlike(whole: Story, cut: Story): readonly string[] {
  const state = ({ touches, processes }: Story) => ({
    done: [...new Set(touches.flatMap(({ what, effect }) => (effect === undefined ? [] : [what])))].toSorted(),
    exit: processes.at(-1)?.exit,
  })
  const a = JSON.stringify(state(whole))
  const b = JSON.stringify(state(cut))
  return a === b ? [] : [`same: it came to ${a}, and cut off to ${b}`]
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
