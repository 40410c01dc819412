/**
 * `~/.ssh/config` read as OpenSSH reads it, for machines that have no OpenSSH: first value wins, `Include` where it stands,
 * `Host` and `Match`. Only what a connection needs is made of it, in `settings.ts`.
 */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import type { Directive, Line, Section } from 'ssh-config'
import { StepFailure } from '../../action/contract.ts'

/** Values by keyword in lower case, as `ssh -G` prints them: several values only where a keyword takes them. */
export type ConfigValues = Map<string, string[]>

export interface ConfigQuestion {
  /** The name as it was asked for; `Host` matches it. */
  readonly host: string
  /** What is settled before any file is read: what a command line would say. */
  readonly given: ConfigValues
  /** Files in their order; one that is not there is empty. */
  readonly files: readonly string[]
  readonly home: string
  readonly localUser: string
}

/** The values for a host; throws `StepFailure` `ssh_config` for what only OpenSSH can decide. */
export async function readConfig(question: ConfigQuestion, signal: AbortSignal): Promise<ConfigValues> {
  const { default: SshConfig } = await import('ssh-config')
  const values: ConfigValues = new Map([...question.given].map(([key, list]) => [key, [...list]]))
  const reading = { ...question, values, parse: SshConfig.parse, final: false, wantsFinal: false }
  for (const file of question.files) await readFileInto(reading, file, 0, signal)
  if (reading.wantsFinal) {
    reading.final = true
    for (const file of question.files) await readFileInto(reading, file, 0, signal)
  }
  return values
}

interface Reading extends ConfigQuestion {
  readonly values: ConfigValues
  readonly parse: (text: string) => readonly Line[]
  /** Set for the second reading, which `Match final` asks for. */
  final: boolean
  wantsFinal: boolean
}

const deepestInclude = 16
/** Keywords whose values add up instead of the first one winning. */
const adding = new Set(['identityfile', 'certificatefile'])
const listing = new Set(['userknownhostsfile', 'globalknownhostsfile', 'include', 'host', 'match'])

async function readFileInto(reading: Reading, file: string, depth: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (depth > deepestInclude) {
    throw new StepFailure('ssh_config', `\`Include\` goes in a circle at \`${file}\``)
  }
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return ''
    throw new StepFailure('ssh_config', `cannot read \`${file}\`: ${error.message}`, { cause: error })
  })
  await readLines(reading, linesOf(reading, text, file), file, depth, signal)
}

function linesOf({ parse }: Reading, text: string, file: string): readonly Line[] {
  try {
    return parse(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new StepFailure('ssh_config', `cannot understand \`${file}\`: ${why}`, { cause })
  }
}

async function readLines(
  reading: Reading,
  lines: Iterable<Line>,
  file: string,
  depth: number,
  signal: AbortSignal,
): Promise<void> {
  for (const line of lines) {
    if (!('param' in line)) continue
    const keyword = line.param.toLowerCase()
    if (keyword === 'host' || keyword === 'match') {
      const meant =
        keyword === 'host' ? listMatches(wordsOf(line), reading.host) : await criteriaHold(reading, line, file, signal)
      if (meant) await readLines(reading, (line as Section).config, file, depth, signal)
    } else if (keyword === 'include') {
      const base = file.startsWith('/etc/') ? dirname(file) : join(reading.home, '.ssh')
      for (const pattern of wordsOf(line)) {
        const path = pattern.replace(/^~(?=\/)/, reading.home)
        for (const found of await filesLike(isAbsolute(path) ? path : join(base, path))) {
          await readFileInto(reading, found, depth + 1, signal)
        }
      }
    } else settle(reading.values, keyword, wordsOf(line))
  }
}

function settle(values: ConfigValues, keyword: string, words: string[]): void {
  const already = values.get(keyword)
  if (!already) values.set(keyword, words)
  // the second reading meets the same lines again
  else if (adding.has(keyword)) already.push(...words.filter((word) => !already.includes(word)))
}

function wordsOf({ param, value, quoted }: Directive): string[] {
  const lists = listing.has(param.toLowerCase())
  if (typeof value === 'string') return lists && !quoted ? value.split(/\s+/) : [value]
  const words = value.map(({ val }) => val)
  return lists ? words : [words.join(' ')]
}

async function criteriaHold(reading: Reading, line: Directive, file: string, signal: AbortSignal): Promise<boolean> {
  const words = wordsOf(line)
  const one = (keyword: string) => reading.values.get(keyword)?.[0]
  for (let at = 0; at < words.length; at++) {
    const negated = words[at]?.startsWith('!') ?? false
    const name = (words[at] ?? '').slice(negated ? 1 : 0).toLowerCase()
    const argument = () => words[++at] ?? ''
    const holds = await criterionHolds(name, argument, {
      host: one('hostname') ?? reading.host,
      original: reading.host,
      user: one('user') ?? reading.localUser,
      reading,
      file,
      signal,
    })
    if (holds === negated) return false
  }
  return true
}

interface Circumstances {
  readonly host: string
  readonly original: string
  readonly user: string
  readonly reading: Reading
  readonly file: string
  readonly signal: AbortSignal
}

async function criterionHolds(name: string, argument: () => string, at: Circumstances): Promise<boolean> {
  switch (name) {
    case 'all':
      return true
    case 'canonical':
      return false
    case 'final':
      at.reading.wantsFinal = true
      return at.reading.final
    case 'host':
      return listMatches(argument().split(','), at.host)
    case 'originalhost':
      return listMatches(argument().split(','), at.original)
    case 'user':
      return listMatches(argument().split(','), at.user)
    case 'localuser':
      return listMatches(argument().split(','), at.reading.localUser)
    case 'exec':
      return succeeds(
        expandTokens(argument(), {
          '%h': at.host,
          '%n': at.original,
          '%r': at.user,
          '%u': at.reading.localUser,
          '%d': at.reading.home,
        }),
        at.signal,
      )
    default:
      throw new StepFailure('ssh_config', `\`Match ${name}\` in \`${at.file}\` cannot be decided without OpenSSH`, {
        hint: "install OpenSSH's `ssh`, or write the settings of the host into the inventory",
      })
  }
}

/** OpenSSH's pattern lists: any that matches, none that is negated. */
function listMatches(patterns: readonly string[], text: string): boolean {
  const matches = (pattern: string) => likePattern(pattern).test(text)
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

function likePattern(pattern: string): RegExp {
  const literal = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}

/** `%h` and its like; `%%` is a percent sign, and what is not among them stays. */
export function expandTokens(text: string, tokens: { readonly [token: string]: string }): string {
  return text.replaceAll(/%./g, (token) => (token === '%%' ? '%' : (tokens[token] ?? token)))
}

function succeeds(command: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => execFile('/bin/sh', ['-c', command], { signal }, (error) => resolve(error === null)))
}

/** The files a path with wildcards names, sorted; a path without any is itself. */
async function filesLike(path: string): Promise<string[]> {
  if (!/[*?]/.test(path)) return [path]
  const folders = await filesLike(dirname(path))
  const like = likePattern(basename(path))
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder).catch(() => [])
      return names
        .filter((name) => like.test(name) && (!name.startsWith('.') || basename(path).startsWith('.')))
        .map((name) => join(folder, name))
    }),
  )
  return found.flat().sort()
}
