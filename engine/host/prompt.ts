import { setTimeout as sleep } from 'node:timers/promises'
import { confirm, input, password, select } from '@inquirer/prompts'
import type { Question } from '../action/contract.ts'
import { printable } from '../diagnostic.ts'
import type { Json } from '../json.ts'
import { validatorOf } from '../schema.ts'

interface Terminal {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

/**
 * Asks a person at a terminal. Undefined when the question was called off: time ran out, the run was cancelled, or the
 * terminal was closed.
 */
export function prompt(question: Question, terminal: Terminal, signal: AbortSignal): Promise<Json | undefined> {
  const message = printable(question.message)
  return whileThere<Json>(terminal, signal, async (context) => {
    switch (question.kind) {
      case 'confirm':
        if (question.phrase === undefined) return await confirm({ message, default: false }, context)
        return await typed(message, question.phrase, context)
      case 'choose':
        return await select(
          {
            message,
            choices: (question.options ?? []).map(({ value, label }) => ({ value, name: printable(label) })),
            ...(question.default !== undefined && { default: question.default }),
          },
          context,
        )
      case 'input':
        return await ask(message, question, context)
    }
  })
}

type Context = Terminal & { readonly signal: AbortSignal; readonly clearPromptOnDone: boolean }

/**
 * An input that ends (Ctrl-D, a line that is lost) closes the question without a word of it: the library would wait for
 * ever, and with nothing left to wait for the program would end as if all were done.
 */
async function whileThere<T>(
  terminal: Terminal,
  signal: AbortSignal,
  ask: (context: Context) => Promise<T>,
): Promise<T | undefined> {
  const { input } = terminal
  if (!input.readable) return undefined
  giveBackGently(input)
  const closed = new AbortController()
  const close = () => closed.abort()
  for (const event of ['pause', 'end', 'close']) input.on(event, close)
  try {
    return await ask({ ...terminal, signal: AbortSignal.any([signal, closed.signal]), clearPromptOnDone: false })
  } catch (error) {
    return await calledOff(error, signal)
  } finally {
    for (const event of ['pause', 'end', 'close']) input.off(event, close)
  }
}

const gentle = new WeakSet<NodeJS.ReadableStream>()

/** A terminal that is gone cannot be set back to what it was; that must not end the program. */
function giveBackGently(input: NodeJS.ReadableStream & { setRawMode?(on: boolean): unknown }): void {
  const set = input.setRawMode
  if (!set || gentle.has(input)) return
  gentle.add(input)
  input.setRawMode = (on) => {
    try {
      return set.call(input, on)
    } catch {
      return input
    }
  }
}

/** The phrase, or false for a no; a slip of the fingers is neither. */
async function typed(message: string, phrase: string, context: Context): Promise<Json> {
  const no = /^\s*no?\s*$/i
  const wanted = `type ${printable(phrase)} to go on, or no to stop`
  const said = await input(
    { message: `${message}\n  ${wanted}:`, validate: (text) => text === phrase || no.test(text) || wanted },
    context,
  )
  return said === phrase && said
}

/** Ctrl-C at a question is a Ctrl-C to the run; the question stays open. Throws what is something else. */
async function calledOff(error: unknown, signal: AbortSignal): Promise<undefined> {
  const names = ['ExitPromptError', 'AbortPromptError', 'CancelPromptError']
  if (!(error instanceof Error) || !names.includes(error.name)) throw error
  if (error.name === 'ExitPromptError') await interrupt(signal)
  return undefined
}

/** Signals arrive a turn later: what asked must not think that nobody is there before they do. */
async function interrupt(signal: AbortSignal): Promise<void> {
  process.kill(process.pid, 'SIGINT')
  for (let turn = 0; turn < 20 && !signal.aborted; turn++) await sleep(10)
}

async function ask(message: string, { schema = {}, default: fallback }: Question, context: Context): Promise<Json> {
  const validate = validatorOf(schema)
  const meant = (text: string): readonly Json[] => [text, ...parsed(text)]
  const read = (text: string): Json | undefined => meant(text).find((value) => validate(value).length === 0)
  // of a number that is too large it is not said that it is a text
  const fault = (text: string): string => {
    const faults = meant(text).flatMap((value) => validate(value).slice(0, 1))
    return (faults.find(({ kind }) => kind !== 'type') ?? faults[0])?.message ?? 'does not fit'
  }
  const said = await input(
    {
      message,
      ...(fallback !== undefined && { default: typeof fallback === 'string' ? fallback : JSON.stringify(fallback) }),
      validate: (text) => read(text) !== undefined || `it ${fault(text)}`,
    },
    context,
  )
  return read(said) ?? said
}

function parsed(text: string): Json[] {
  try {
    return [JSON.parse(text) as Json]
  } catch {
    return []
  }
}

/** A value that is not shown while it is typed; undefined when the question was called off. */
export function promptSecret(
  message: string,
  terminal: Terminal,
  signal: AbortSignal,
  fault: (text: string) => string | undefined,
): Promise<string | undefined> {
  const validate = (text: string) => fault(text) ?? true
  return whileThere(terminal, signal, (context) => password({ message, mask: true, validate }, context))
}

/** What a host, or a key, asks for; undefined when the question was called off. */
export async function promptText(
  asked: string,
  echo: boolean,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string | undefined> {
  const message = printable(asked).trim()
  return whileThere(terminal, signal, (context) =>
    echo ? input({ message }, context) : password({ message, mask: true }, context),
  )
}
