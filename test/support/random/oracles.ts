/**
 * What must be true of any run, said without the engine: from the tree that was made up, from what was done to the world,
 * and from what the person said. The transcript is asked only whether an end was on disk, and whether it tells the truth.
 *
 * What is wrong begins with the word of the oracle that says so. Of what must never happen (`safety.ts`; `world.ts` while
 * it runs):
 *   repeat         what has ended is not done again without a reason
 *   doubt          what may have happened is not done again by itself, and who has to say so is asked
 *   max_parallel   no more of a loop or of branches is under way at the same time than may be
 *   cancel         once the run is cancelled nothing begins but clean-up
 *   locks          nothing is done without its lock, and none is held at the end
 *   signal         nothing begins with a signal that is aborted already
 *   chain          every line of the transcript is whole and follows the one before it
 *   disk           what stands beside the transcript can be read again
 *   show           every beginning of the transcript can be shown
 *   dry            a dry run changes nothing, and announces what a run changes
 * Of what the run had to come to (`structure.ts`):
 *   reach          nothing is done behind a false `when`, after a failure, or in a loop that had stopped
 *   rescue         a rescue runs only where its block failed
 *   missing        what was to be done is done, and who was to be asked is asked
 *   retry          what failed is tried as often as its `retry` says
 *   max_failures   no item begins after so many have failed
 *   undo           what was done is undone when the run failed, and nothing else ever is
 *   order          it is undone last first
 *   told           the transcript tells the end that a step had
 *   status         the last line says how the run ended
 *   exit           every run ends, with the code of its status
 *   same           cut off and resumed, it comes to the same
 *   mended         a run of which everything was mended comes to its end when it is resumed
 * And `resume`, `threw`, `harness`: a process or the test itself broke.
 */
import { readTranscript } from '../../../engine/journal/chain.ts'
import { factsOf } from './facts.ts'
import { beginnings, crowds, repeats } from './safety.ts'
import { structure } from './structure.ts'
import type { Story } from './world.ts'
import { idOf, nodesOf } from './world.ts'

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
