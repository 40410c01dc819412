import { asks } from '../action/contract.ts'
import type { Registry } from '../action/registry.ts'
import type { Library } from '../check/check.ts'
import { effectOf } from '../check/flow.ts'
import type { Runbook, Step } from '../document/runbook.ts'
import { groupsOf } from '../document/runbook.ts'

/** A runbook as a page, Markdown: what it is for, what it needs to be told, whom it asks and what it changes. */
export function runbookPage(runbook: Runbook, library: Library, registry: Registry): string {
  return `# ${runbook.title}\n\n${runbook.description.trim()}\n\n${runbookFacts(runbook, library, registry)}`
}

/** The part of a page that the file says of itself, whatever a person wrote above it. */
export function runbookFacts(runbook: Runbook, library: Library, registry: Registry): string {
  const work = workOf(runbook, library, registry)
  const parts = [
    section('Inputs', inputsOf(runbook)),
    section('What it asks of people', asked(work)),
    section('What it changes', changed(work)),
    section(
      'Locks',
      runbook.locks.map(({ text }) => `- ${code(text)}`),
    ),
    section(
      'What must be true before anything happens',
      runbook.preconditions.map(
        ({ that, message }) => `- ${code(that.text)}${message ? `: ${line(message.text)}` : ''}`,
      ),
    ),
    section('Steps', outline(runbook.steps, 0)),
    section(
      'Outputs',
      runbook.outputs.map(({ name, value }) => `- ${code(name)}: ${code(value.text)}`),
    ),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `## ${title}\n\n${lines.join('\n')}`
}

function inputsOf({ inputs }: Runbook): readonly string[] {
  if (inputs.length === 0) return ['It needs to be told nothing.']
  const rows = inputs.map(({ name, schema, required, secret }) => {
    const type = Array.isArray(schema['enum'])
      ? schema['enum'].map((value) => code(String(value))).join(' or ')
      : [schema['type'] ?? 'any'].flat().join(' or ')
    const unless = required ? '*must be given*' : code(JSON.stringify(schema['default']))
    return row(code(name), `${type}${secret ? ', secret' : ''}`, unless, String(schema['description'] ?? ''))
  })
  return ['| Input | Type | Unless told | |', '|---|---|---|---|', ...rows]
}

/** A step that does something, where it stands, and in which circumstances it is done. */
interface Work {
  readonly step: Extract<Step, { kind: 'action' }>
  readonly path: string
  readonly when: string
  readonly effect: string | undefined
  readonly asks: boolean
}

function workOf(
  runbook: Runbook,
  library: Library,
  registry: Registry,
  above = '',
  around = '',
  seen: readonly string[] = [],
): readonly Work[] {
  if (seen.includes(runbook.source.path)) return []
  const visit = (steps: readonly Step[], circumstance: string, outer: string): readonly Work[] =>
    steps.flatMap((step): readonly Work[] => {
      const path = `${outer}${step.id.text}`
      if (step.kind === 'action') {
        const action = registry.get(step.action.text)
        const own: Work = {
          step,
          path,
          when: circumstance,
          effect: effectOf(step, registry),
          asks: action !== undefined && asks(action),
        }
        return [own, ...inside(step)]
      }
      const called = step.kind === 'runbook' ? library.find(step.runbook.text, runbook.source.path) : undefined
      const below = called
        ? workOf(called, library, registry, `${path}/`, circumstance, [...seen, runbook.source.path])
        : []
      return [...below, ...inside(step)]

      function inside(each: Step): readonly Work[] {
        return groupsOf(each).flatMap(({ word, steps: group }) =>
          visit(group, circumstances[word] ?? circumstance, `${path}/`),
        )
      }
    })
  return visit(runbook.steps, around, above)
}

const circumstances: { readonly [word: string]: string } = {
  rescue: 'when what it rescues failed',
  always: 'in every case',
  rollback: 'to undo',
}

function asked(work: readonly Work[]): readonly string[] {
  const rows = work
    .filter((each) => each.asks)
    .map(({ step, path, when }) => row(code(path), code(step.action.text), line(step.name?.text ?? ''), when))
  return rows.length === 0
    ? ['Nothing: it runs by itself.']
    : ['| Step | Action | | Only |', '|---|---|---|---|', ...rows]
}

function changed(work: readonly Work[]): readonly string[] {
  const rows = work
    .filter(({ effect }) => effect === 'change' || effect === 'destructive')
    .map(({ step, path, when, effect }) =>
      row(
        code(path),
        code(step.action.text),
        effect === 'destructive' ? '**destructive**' : 'change',
        line(step.name?.text ?? ''),
        when,
      ),
    )
  return rows.length === 0
    ? ['Nothing: it only reads.']
    : ['| Step | Action | Effect | | Only |', '|---|---|---|---|---|', ...rows]
}

function outline(steps: readonly Step[], depth: number): readonly string[] {
  return steps.flatMap((step) => {
    const what =
      step.kind === 'action'
        ? code(step.action.text)
        : step.kind === 'runbook'
          ? `runbook ${code(step.runbook.text)}`
          : step.kind
    const name = step.name ? `: ${line(step.name.text)}` : ''
    const own = `${'  '.repeat(depth)}- ${code(step.id.text)} (${what}${step.loop ? ', in a loop' : ''})${name}`
    const groups = groupsOf(step).flatMap(({ word, steps: group }) => {
      if (group.length === 0) return []
      const plain = word === 'block' || word === 'parallel'
      return plain ? outline(group, depth + 1) : [`${'  '.repeat(depth + 1)}- *${word}*`, ...outline(group, depth + 2)]
    })
    return [own, ...groups]
  })
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('\n', ' ').replaceAll('|', '\\|')).join(' | ')} |`
}

/** Text in one line that Markdown takes as it is. */
function line(text: string): string {
  return text
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/[<>*_[\]]/g, '\\$&')
}

/** Inside of backticks, more of them than stand in the text. */
function code(text: string): string {
  const one = text.trim().replaceAll(/\s*\n\s*/g, ' ')
  const longest = Math.max(0, ...[...one.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  const space = one.startsWith('`') || one.endsWith('`') ? ' ' : ''
  return `${fence}${space}${one}${space}${fence}`
}
