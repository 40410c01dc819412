import type { RunBegan } from '../run/event.ts'
import type { Paint } from './colour.ts'
import { shownFields, shownTime } from './fact-text.ts'
import { safeLine } from './terminal-text.ts'

/** What is run, by whom and against what: the first lines of a run. */
export function headerLines(began: RunBegan & { readonly at: string }, paint: Paint): readonly string[] {
  const { runbook, by, mode } = began
  const facts: readonly (readonly [string, string])[] = [
    ['run', `${began.run}${mode === 'dry-run' ? ', a dry run: nothing will be changed' : ''}`],
    ...(began.rehearsal === undefined ? [] : [['rehearsal', `${began.rehearsal}, on a simulated cloud`] as const]),
    ['by', `${by.user}@${by.host}, ${shownTime(began.at)} UTC`],
    ['runbook', `${runbook.path}${commitOf(runbook)}`],
    ...inputsOf(began),
    ...(began.cloud === undefined ? [] : [['cloud', began.cloud] as const]),
    ...(began.hosts.length === 0 ? [] : [['hosts', fewOf(began.hosts)] as const]),
  ]
  return [
    paint('strong', safeLine(runbook.title === '' ? runbook.name : `${runbook.name}: ${runbook.title}`)),
    ...facts.map(([name, value]) => `  ${paint('dim', name.padEnd(10))} ${safeLine(value)}`),
    '',
  ]
}

/** Inputs that somebody gave; the rest stands in the report. */
function inputsOf({ inputs, defaults = [] }: RunBegan): readonly (readonly [string, string])[] {
  const given = Object.entries(inputs).filter(([name]) => !defaults.includes(name))
  return given.length === 0 ? [] : [['inputs', shownFields(Object.fromEntries(given))]]
}

function commitOf({ commit, clean }: RunBegan['runbook']): string {
  if (commit === undefined) return ''
  return `, commit ${commit.slice(0, 12)}${clean === false ? ' with changes that are not committed' : ''}`
}

/** The first of many names, and how many there are. */
export function fewOf(names: readonly string[], few = 8): string {
  const shown = names.slice(0, few).join(', ')
  return names.length <= few ? shown : `${shown} and ${names.length - few} more`
}
