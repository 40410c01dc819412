/** What must never happen, wherever a run was cut off, and whatever it had to come to. */
import { readTranscript } from '../../../engine/journal/chain.ts'
import { renderHtml } from '../../../engine/view/html.ts'
import { renderJson } from '../../../engine/view/json.ts'
import { renderMarkdown } from '../../../engine/view/markdown.ts'
import { renderText } from '../../../engine/view/text.ts'
import type { Facts } from './facts.ts'
import { idsIn, ownersIn, undoIdsIn } from './facts.ts'
import type { Leaf, Node } from './runbook.ts'
import type { Story, Touch } from './world.ts'
import { idOf, nodesOf } from './world.ts'

/** Nothing is done again that had ended, and nothing of which nobody knows whether it had happened, unless somebody wants that. */
export function repeats(
  { decisions, mends }: Story,
  nodes: ReadonlyMap<string, Node>,
  facts: Facts,
): readonly string[] {
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

/** Never more of a loop or of parallel branches is under way at the same time than its `max_parallel` says. */
export function crowds({ touches, made }: Story): readonly string[] {
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

/** Once the run is cancelled nothing new begins but `rescue`, `always` and `rollback`. */
export function beginnings(
  { touches, cancelledAt = 0, made }: Story,
  nodes: ReadonlyMap<string, Node>,
): readonly string[] {
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

/** Every beginning of a transcript can be shown, in every form. */
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

/** A dry run changes nothing, and announces what a run in which all goes well would change. */
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
