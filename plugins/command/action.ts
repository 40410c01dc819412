/** What running a command is, wherever it runs: `ssh.*` and `local.*` differ only in where. */
import {
  type ActionContext,
  type Command,
  type CommandResult,
  type Preview,
  StepFailure,
  type WorkAction,
} from '../../engine/action/contract.ts'
import { anything, closedObject, flag, listOf, number, text, textMap, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'
import { demandWhole, type Parse, parseOutput } from './parse.ts'

/** Where commands run. */
export interface Place {
  /** Parameters that name it, and the part of the result that says it. */
  readonly params: { readonly [name: string]: Schema }
  readonly result: { readonly [name: string]: Schema }
  /** How people call it; throws `StepFailure` when it is not said. */
  nameOf(params: JsonObject): string
  exec(ctx: ActionContext, params: JsonObject, command: Command, signal: AbortSignal): Promise<CommandResult>
  /** Adds what the result says of it. */
  describe(params: JsonObject): JsonObject
}

type Described = Pick<WorkAction, 'name' | 'summary' | 'description' | 'examples'>

/** An action that runs words: no shell reads them. */
export function runAction(place: Place, described: Described): WorkAction {
  const command: Schema = {
    description: 'The command: a line, split into words when the file is read, or a list of words. No shell reads it.',
    'x-runbook': 'command',
    oneOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', minItems: 1, items: { type: 'string' } },
    ],
  }
  return action(place, described, { command }, [], (params) => ({ argv: params['command'] as readonly string[] }))
}

/** An action that hands a fixed text to an interpreter. */
export function scriptAction(place: Place, described: Described): WorkAction {
  const own = {
    script: text('The script: a fixed text, in which no template may stand. Values come as `env` or `args`.', {
      'x-runbook': 'verbatim',
      minLength: 1,
    }),
    args: listOf({ type: 'string' }, 'Arguments: `$1`, `$2` … of a shell.'),
    interpreter: listOf(
      { type: 'string' },
      'The words of the interpreter, such as `[bash, -euo, pipefail]`; `[sh]` unless told.',
      { minItems: 1 },
    ),
  }
  return action(place, described, own, ['args', 'interpreter'], (params) => ({
    script: {
      text: params['script'] as string,
      interpreter: (params['interpreter'] as readonly string[] | undefined) ?? ['sh'],
      args: (params['args'] as readonly string[] | undefined) ?? [],
    },
  }))
}

function action(
  place: Place,
  described: Described,
  own: { readonly [name: string]: Schema },
  optional: readonly string[],
  what: (params: JsonObject) => Pick<Command, 'argv' | 'script'>,
): WorkAction {
  const params = { ...own, ...place.params, ...sharedParams }
  return {
    ...described,
    effect: 'change',
    effectFromStep: true,
    idempotent: false,
    params: closedObject(params, [...optional, ...Object.keys(place.params), ...Object.keys(sharedParams)]),
    result: closedObject({ ...place.result, ...sharedResult }),
    async plan(_ctx, given): Promise<Preview> {
      return { summary: `would run ${shown(what(given))} on ${place.nameOf(given)}`, changes: [] }
    },
    async run(ctx, given, signal): Promise<Json> {
      const where = place.nameOf(given)
      const command = { ...what(given), ...settingsOf(given) }
      const result = await place.exec(ctx, given, command, signal)
      if (command.secretOutput) hide(ctx, where, result)
      return judge(result, given, { where, read: ctx.effect === 'read', about: place.describe(given) })
    },
    cut(result, { max_output: told }) {
      return told === undefined && (result as JsonObject)['dropped'] !== 0 ? ['stdout', 'stderr'] : []
    },
  }
}

const sharedParams = {
  stdin: text('What the command reads from its standard input; nothing unless told.'),
  env: textMap('Environment variables.'),
  directory: text('The folder it runs in; the home folder of the user, or the current one, unless told.', {
    minLength: 1,
  }),
  exit_codes: {
    description: 'The exit codes that mean success, `[0]` unless told; `any` for all of them.',
    oneOf: [{ type: 'array', minItems: 1, items: { type: 'integer', minimum: 0, maximum: 255 } }, { const: 'any' }],
  },
  parse: text('What to make of stdout as `value`: nothing, JSON, or a list of its lines.', {
    enum: ['none', 'json', 'lines'],
  }),
  max_output: whole(
    'Bytes kept of stdout, and of stderr; 1048576 unless told. The rest is counted in `dropped`. Where output is longer, a read fails, and a change of which something reads `stdout` or `stderr`, unless this is told: the beginning must not pass for the whole.',
    { minimum: 1, maximum: 67_108_864 },
  ),
  secret_output: flag('What it writes is secret: not shown, not recorded, and masked wherever it appears later.'),
}

const sharedResult = {
  exit_code: whole('The exit code.'),
  stdout: text('Standard output.'),
  stderr: text('Standard error.'),
  took: number('Milliseconds.'),
  dropped: whole('Bytes of output beyond `max_output`.'),
  value: anything('stdout as `parse` says: JSON, a list of lines, or null.'),
}

function settingsOf(params: JsonObject): Omit<Command, 'argv' | 'script'> {
  const { stdin, env, directory, max_output: maxOutput, secret_output: secretOutput } = params
  return {
    ...(stdin !== undefined && { stdin: stdin as string }),
    ...(env !== undefined && { env: env as { readonly [name: string]: string } }),
    ...(directory !== undefined && { cwd: directory as string }),
    ...(maxOutput !== undefined && { maxOutput: maxOutput as number }),
    ...(secretOutput === true && { secretOutput: true }),
  }
}

/** The result of a command that did what it should; throws `StepFailure` otherwise. */
function judge(
  result: CommandResult,
  params: JsonObject,
  { where, read, about }: { readonly where: string; readonly read: boolean; readonly about: JsonObject },
): JsonObject {
  const { exitCode, signal, stdout, stderr, took, dropped } = result
  const wanted = (params['exit_codes'] as readonly number[] | 'any' | undefined) ?? [0]
  const facts = params['secret_output'] === true ? {} : { stdout, stderr }
  if (exitCode === null || (wanted !== 'any' && !wanted.includes(exitCode))) {
    const how = exitCode === null ? `was ended by ${signal ?? 'a signal'}` : `ended with exit code ${exitCode}`
    const said = params['secret_output'] === true ? '' : lastLines(stderr || stdout)
    throw new StepFailure('exit_code', `the command on ${where} ${how}${said === '' ? '' : `: ${said}`}`, {
      detail: { host: where, exit_code: exitCode, ...(signal !== undefined && { signal }), ...facts, took, dropped },
      ...hintFor(exitCode),
    })
  }
  const parse = (params['parse'] as Parse | undefined) ?? 'none'
  const given = { ...about, exit_code: exitCode, stdout, stderr, took, dropped }
  // a change has happened, whatever it wrote
  const said = { where, ...(!read && { result: { ...given, value: null } }) }
  if (parse !== 'none' || (read && params['max_output'] === undefined)) demandWhole(result, said)
  return { ...given, value: parseOutput(result, parse, said) }
}

/** What these codes mean by convention, and often mean. */
function hintFor(exitCode: number | null): { hint?: string } {
  if (exitCode === 127) return { hint: 'the program is not there, or not on the `PATH` of this user' }
  if (exitCode === 126) return { hint: 'the program may not be run, or the folder is not there' }
  return {}
}

const longestQuote = 400

function lastLines(output: string): string {
  const lines = output.trimEnd().split('\n').slice(-3).join('\n')
  return lines.length > longestQuote ? `…${lines.slice(-longestQuote)}` : lines
}

/** Shorter texts stand everywhere, and masking them would hide what is no secret. */
const shortestSecret = 4

function hide({ secrets }: ActionContext, where: string, { stdout, stderr }: CommandResult): void {
  const texts = [stdout.trim(), stderr.trim(), ...`${stdout}\n${stderr}`.split('\n').map((line) => line.trim())]
  for (const secret of new Set(texts)) if (secret.length >= shortestSecret) secrets.add(`output on ${where}`, secret)
}

function shown({ argv, script }: Pick<Command, 'argv' | 'script'>): string {
  return argv
    ? `\`${argv.join(' ')}\``
    : `a script with \`${[...(script?.interpreter ?? []), ...(script?.args ?? [])].join(' ')}\``
}
