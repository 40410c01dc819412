import type { Answer, Question } from '../action/contract.ts'
import { type Diagnostic, didYouMean, printable } from '../diagnostic.ts'
import { problemAt } from '../document/problem.ts'
import type { AskSecret } from '../host/doors.ts'
import type { Redactor } from '../journal/redact.ts'
import type { Json } from '../json.ts'
import { validatorOf } from '../schema.ts'
import type { View } from '../view/view.ts'
import type { Io } from './io.ts'
import { hasTerminal } from './io.ts'

export interface AnswerOptions {
  /** `step=value`, as typed. */
  readonly given: readonly string[]
  /** The addresses of all steps. */
  readonly steps: Iterable<string>
  /** Says yes where a plain yes is asked; a phrase is still to be typed. */
  readonly yes: boolean
  readonly now: () => string
  readonly view: View
}

export type Answers = (
  key: string,
  question: Question,
  signal: AbortSignal,
  inDoubt: boolean,
) => Promise<Answer | undefined>

/** What is asked about a step, besides what the step itself asks. */
const asked: readonly string[] = ['doubt', 'paused', 'result', 'step']

/** Where answers come from: those given on the command line, `--yes`, a person at the terminal; else nobody. */
export function answersFrom(
  io: Io,
  { given, steps, yes, now, view }: AnswerOptions,
): { readonly answer: Answers; readonly askSecret?: AskSecret; readonly diagnostics: readonly Diagnostic[] } {
  const table = new Map<string, string>()
  const diagnostics: Diagnostic[] = []
  const known = new Set(steps)
  for (const pair of given) {
    const at = pair.lastIndexOf(']') > 0 ? pair.indexOf('=', pair.lastIndexOf(']')) : pair.indexOf('=')
    const key = pair.slice(0, Math.max(at, 0))
    const step = addressOf(key)
    if (at <= 0) refuse(pair, pair.length, `\`${pair}\` is not \`step=answer\``)
    else if (!known.has(step)) refuse(pair, at, `there is no step \`${step}\``, didYouMean(step, known))
    else {
      const about = /!([^!/[\]]+)$/.exec(key)?.[1]
      if (about === undefined || asked.includes(about)) table.set(key, pair.slice(at + 1))
      else
        refuse(
          pair,
          at,
          `nobody is asked \`${key}\``,
          didYouMean(about, asked) ?? `about a step one asks: ${asked.join(', ')}`,
        )
    }
  }
  function refuse(text: string, end: number, message: string, hint?: string): void {
    diagnostics.push(problemAt({ path: '--answer', text }, { start: 0, end }, 'RB3006', message, hint))
  }
  const by = `${io.user}@${io.hostname}`
  // one question at a time: branches that ask together wait for each other
  let turn: Promise<unknown> = Promise.resolve()
  const answer: Answers = async (key, question, signal, inDoubt) => {
    const said = table.get(key) ?? table.get(key.replace(/!.*$/, ''))
    if (said !== undefined) {
      const value = typedValue(question, said)
      if (value !== undefined) return { value, by, at: now() }
      io.stderr.write(`warning: the answer \`${printable(said)}\` to \`${key}\` does not fit: ${wanted(question)}\n`)
    }
    if (yes && question.kind === 'confirm' && question.phrase === undefined && !inDoubt)
      return { value: true, by: `${by} (--yes)`, at: now() }
    if (!hasTerminal(io)) return undefined
    return atTerminal(signal, async (calledOff) => {
      const { prompt } = await import('../host/prompt.ts')
      const value = await prompt(question, { input: io.stdin, output: io.stderr }, calledOff)
      return value === undefined ? undefined : { value, by, at: now() }
    })
  }
  function atTerminal<T>(
    signal: AbortSignal,
    ask: (calledOff: AbortSignal) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const { seat = { gone: signal, leave: () => undefined, asking: 0 } } = io
    const calledOff = AbortSignal.any([signal, seat.gone])
    const mine = turn.then(async () => {
      if (calledOff.aborted) return undefined
      await view.pause()
      seat.asking++
      try {
        const said = await ask(calledOff)
        // the input has ended before the line was told to be broken, or without it
        if (said === undefined && !signal.aborted) seat.leave()
        return said
      } finally {
        seat.asking--
        view.resume()
      }
    })
    turn = mine.catch(() => undefined)
    return mine
  }
  const askSecret: AskSecret = ({ host, user, text, echo }, signal) =>
    atTerminal(signal, async (calledOff) => {
      const { promptText } = await import('../host/prompt.ts')
      return promptText(`${user} on ${host}: ${text}`, echo, { input: io.stdin, output: io.stderr }, calledOff)
    })
  return { answer, ...(hasTerminal(io) && { askSecret }), diagnostics }
}

/** The step that a key is of: without the items of its loops, its tries and what about it is asked. */
function addressOf(key: string): string {
  return key.replaceAll(/\[[^\]]*\]|~\d+|![a-z]+\d*/g, '')
}

function wanted({ kind, phrase, options, schema }: Question): string {
  if (kind === 'confirm') return phrase === undefined ? 'it is yes or no' : 'it is the phrase, letter by letter, or no'
  if (kind === 'choose') return `it is one of ${(options ?? []).map(({ value }) => value).join(', ')}`
  return `it has to fit ${JSON.stringify(schema ?? {})}`
}

/** What was typed, as the question wants it; undefined when it does not fit. */
function typedValue(question: Question, said: string): Json | undefined {
  switch (question.kind) {
    case 'confirm':
      // a slip of the fingers is no decision: what took days would be undone for it
      if (question.phrase === undefined ? /^(y|yes|true)$/i.test(said) : said === question.phrase)
        return question.phrase ?? true
      return /^(n|no|false)$/i.test(said) ? false : undefined
    case 'choose':
      return question.options?.some(({ value }) => value === said) ? said : undefined
    case 'input': {
      const schema = question.schema ?? {}
      if (validatorOf(schema)(said).length === 0) return said
      try {
        const value = JSON.parse(said) as Json
        return validatorOf(schema)(value).length === 0 ? value : undefined
      } catch {
        return undefined
      }
    }
  }
}

/** What is typed for a host is shown nowhere afterwards. */
export function hiding(redactor: Redactor, ask: AskSecret): AskSecret {
  return async (question, signal) => {
    const typed = await ask(question, signal)
    if (typed !== undefined && !question.echo) redactor.add(`typed for ${question.host}`, typed)
    return typed
  }
}
