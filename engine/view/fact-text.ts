/** The wordings that the views and the documents share; none of them is made safe for a medium yet. */
import type { Answer, Evaluated, Question } from '../action/contract.ts'
import { shownDuration } from '../duration.ts'
import { isObject, type Json } from '../json.ts'
import type { Call } from '../run/event.ts'
import { schemaWords } from '../schema.ts'

/** A name for people with the host it is about, unless the name says it. */
export function namedOn(name: string, target: string | undefined): string {
  return target === undefined || name.split(/[^\w.-]+/).includes(target) ? name : `${name} on ${target}`
}

/** JSON on one line; a text alone stands without quotes. */
export function shownValue(value: Json, longest = 400): string {
  const text =
    typeof value === 'string'
      ? value
      : JSON.stringify(value, (_name, part: Json) => (isObject(part) && '$unknown' in part ? 'not known yet' : part))
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`
}

/** A value that a dry run could not know: what it is in this process, or in a transcript. */
export const isUnknown = (value: Json): boolean => JSON.stringify(value)?.startsWith('{"$unknown":') ?? false

/** `host=cmp3 force=true`. */
export function shownFields(fields: { readonly [name: string]: Json }): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${shownValue(value)}`)
    .join(' ')
}

/** Why a condition came to what it came to: its operands, or why it could not be evaluated. */
export function operandLines(evaluated: Evaluated): readonly string[] {
  if ('error' in evaluated) {
    const blocked = evaluated.blockedBy === undefined ? '' : ` (\`${evaluated.blockedBy}\` has no result)`
    return [`could not be evaluated: ${evaluated.error}${blocked}`]
  }
  return evaluated.operands.map(({ text, value }) => `\`${text}\` was ${JSON.stringify(value)}`)
}

/** What the person is expected to do. */
export function howToAnswer(question: Question): string {
  const wanted = {
    confirm: question.phrase === undefined ? 'yes or no' : `type \`${question.phrase}\` to confirm`,
    input: schemaWords(question.schema ?? {}),
    choose: `one of ${(question.options ?? []).map(({ value, label }) => (label === value ? `\`${value}\`` : `\`${value}\` (${label})`)).join(', ')}`,
  }[question.kind]
  const otherwise = question.default === undefined ? '' : `, otherwise \`${shownValue(question.default)}\``
  return question.timeout === undefined ? wanted : `${wanted}, within ${shownDuration(question.timeout)}${otherwise}`
}

export function shownAnswer(answer: Answer): string {
  return 'timedOut' in answer ? 'no answer in time' : `${shownValue(answer.value)} (by ${answer.by})`
}

/** `GET https://…/servers 200 (req-1, 12ms)`, `ssh cmp3: uptime -s, exit 0 (80ms)`. */
export function shownCall(call: Call): string {
  const took = shownDuration(call.took)
  if (call.kind === 'http') {
    const facts = [call.requestId, took].filter((fact) => fact !== undefined).join(', ')
    return `${call.method} ${call.url} ${call.error ?? call.status ?? 'no answer'} (${facts})`
  }
  const where = call.kind === 'ssh' ? `ssh ${call.host}` : 'here'
  return `${where}: ${shownValue(call.command, 2_000)}, ${call.error ?? callEnd(call.exitCode)} (${took})`
}

export function callEnd(exitCode: number | null | undefined): string {
  return exitCode === undefined || exitCode === null ? 'no exit code' : `exit ${exitCode}`
}

/** `2026-11-21 08:16:30`; times are UTC everywhere. */
export function shownTime(at: string): string {
  return at.slice(0, 19).replace('T', ' ')
}

/** `12 ok, 1 failed`, the words given by the caller. */
export function shownCounts(counts: Iterable<readonly [string, number]>): string {
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ')
}
