import { arithmetic } from './arithmetic.ts'
import { glob, patternOf } from './glob.ts'
import { type Shell, ShellProblem, setVariable } from './state.ts'
import type { Part, Word } from './syntax.ts'

/** A piece of a field; what is quoted is neither split nor globbed. */
interface Piece {
  readonly text: string
  readonly quoted: boolean
  /** Comes from an expansion, so that it may be split. */
  readonly expanded?: boolean
  /** A new field begins here: between the elements of `"$@"`. */
  readonly breaks?: boolean
}

/** The fields words become: expanded, split, globbed. */
export async function expandWords(shell: Shell, words: readonly Word[]): Promise<string[]> {
  const fields: string[] = []
  for (const word of words.flatMap(braces)) {
    const pieces = await expandParts(shell, word)
    // no arguments are no word, though quotes stand around them
    const all = word.some((part) => part.kind === 'variable' && part.name === '@' && part.op === undefined)
    if (all && shell.args.length === 0 && pieces.every(({ text }) => text === '')) continue
    for (const field of split(pieces, shell.variables.get('IFS') ?? ' \t\n')) {
      const wild = !shell.options.has('noglob') && field.some(({ text, quoted }) => !quoted && /[*?[]/.test(text))
      const plain = field.map(({ text }) => text).join('')
      const found = wild ? glob(shell.machine.files, shell.me.cwd, field) : []
      fields.push(...(found.length > 0 ? found : [plain]))
    }
  }
  return fields
}

/** One string, as in an assignment, a redirect or a here-document: not split and not globbed. */
export async function expandText(shell: Shell, word: Word): Promise<string> {
  const pieces = await expandParts(shell, word)
  return pieces.map(({ text, breaks }) => (breaks ? ` ${text}` : text)).join('')
}

/** A pattern, for `case` and `[[ = ]]`: what is quoted stands for itself. */
export const expandPattern = async (shell: Shell, word: Word): Promise<RegExp> =>
  patternOf(await expandParts(shell, word))

async function expandParts(shell: Shell, word: Word): Promise<Piece[]> {
  const pieces: Piece[] = []
  for (const [index, part] of word.entries()) {
    if (part.kind === 'text') {
      const text = index === 0 && !part.quoted ? withHome(shell, part.text) : part.text
      pieces.push({ text, quoted: part.quoted })
    } else {
      pieces.push(...(await expandPart(shell, part)))
    }
  }
  return pieces
}

/** `~` and `~user` at the start of a word. */
function withHome({ variables, machine }: Shell, text: string): string {
  return text.replace(/^~([\w-]*)(?=\/|$)/, (whole, user: string) =>
    user === '' ? (variables.get('HOME') ?? '/') : (machine.users.get(user)?.home ?? whole),
  )
}

async function expandPart(shell: Shell, part: Exclude<Part, { kind: 'text' }>): Promise<Piece[]> {
  const { quoted } = part
  const one = (text: string): Piece[] => [{ text, quoted, expanded: !quoted }]
  switch (part.kind) {
    case 'command':
      return one(await shell.runs.capture(shell, part.body))
    case 'arithmetic':
      return one(String(arithmetic(shell, await expandText(shell, part.text))))
    case 'variable': {
      if (part.op === undefined && (part.name === '@' || part.name === '*')) return positional(shell, part.name, quoted)
      return one(await expandVariable(shell, part))
    }
    default:
      throw new TypeError(`unknown part ${String(part satisfies never)}`)
  }
}

function positional(shell: Shell, name: string, quoted: boolean): Piece[] {
  if (name === '*' && quoted) return [{ text: shell.args.join(' '), quoted }]
  if (shell.args.length === 0) return []
  return shell.args.map((text, index) => ({ text, quoted, expanded: !quoted, ...(index > 0 && { breaks: true }) }))
}

async function expandVariable(shell: Shell, part: Part & { kind: 'variable' }): Promise<string> {
  const { name, op, word = [] } = part
  const value = parameter(shell, name)
  if (op === 'length') return String((name === '@' || name === '*' ? shell.args : (value ?? '')).length)
  const missing = value === undefined || (op?.startsWith(':') && value === '')
  switch (op) {
    case undefined:
      if (value === undefined && shell.options.has('nounset')) throw new ShellProblem(`${name}: unbound variable`, 127)
      return value ?? ''
    case '-':
    case ':-':
      return missing ? expandText(shell, word) : (value ?? '')
    case '+':
    case ':+':
      return missing ? '' : expandText(shell, word)
    case '=':
    case ':=': {
      if (!missing) return value ?? ''
      const text = await expandText(shell, word)
      setVariable(shell, name, text)
      return text
    }
    case '?':
    case ':?':
      if (missing) {
        throw new ShellProblem(`${name}: ${(await expandText(shell, word)) || 'parameter null or not set'}`, 127)
      }
      return value ?? ''
    case '#':
    case '##':
    case '%':
    case '%%':
      return trim(value ?? '', await expandPattern(shell, word), op)
    case ':': {
      const [from = '0', count] = (await expandText(shell, word)).split(':')
      const start = arithmetic(shell, from)
      const rest = (value ?? '').slice(start)
      return count === undefined ? rest : rest.slice(0, arithmetic(shell, count))
    }
    case '/':
    case '//':
      return replace(value ?? '', await expandText(shell, word), op === '//')
    case '^':
    case '^^':
      return op === '^^' ? (value ?? '').toUpperCase() : (value ?? '').replace(/^./, (first) => first.toUpperCase())
    case ',':
    case ',,':
      return op === ',,' ? (value ?? '').toLowerCase() : (value ?? '').replace(/^./, (first) => first.toLowerCase())
    default:
      throw new ShellProblem('bad substitution')
  }
}

/** A parameter's value; nothing when it is not set. */
function parameter(shell: Shell, name: string): string | undefined {
  switch (name) {
    case '?':
      return String(shell.status)
    case '$':
      return shell.variables.get('$')
    case '!':
      return shell.jobs.at(-1)?.pid.toString() ?? ''
    case '#':
      return String(shell.args.length)
    case '-':
      return 'hB'
    case '0':
      return shell.name
    case 'PPID':
      return String(shell.me.ppid)
    case 'RANDOM':
      return String(Math.floor(shell.machine.random.next() * 32768))
    case 'SECONDS':
      return String(Math.floor((shell.machine.now() - shell.me.startedAt) / 1000))
    case 'BASHPID':
      return String(shell.me.pid)
    case 'PWD':
      return shell.me.cwd
    case 'PIPESTATUS[@]':
    case 'PIPESTATUS[*]':
      return shell.pipeStatus.join(' ')
    default: {
      const element = /^PIPESTATUS\[(\d+)\]$/.exec(name)
      if (element) return shell.pipeStatus[Number(element[1])]?.toString()
      if (/^[1-9]\d*$/.test(name)) return shell.args[Number(name) - 1]
      if (name === '@' || name === '*') return shell.args.length > 0 ? shell.args.join(' ') : undefined
      return shell.variables.get(name)
    }
  }
}

function trim(value: string, pattern: RegExp, op: string): string {
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length)
  if (op.length === 2) lengths.reverse()
  for (const length of lengths) {
    const part = op.startsWith('#') ? value.slice(0, length) : value.slice(value.length - length)
    if (pattern.test(part)) return op.startsWith('#') ? value.slice(length) : value.slice(0, value.length - length)
  }
  return value
}

function replace(value: string, text: string, all: boolean): string {
  const slash = text.indexOf('/')
  const [from, to] = slash === -1 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)]
  if (from === '') return value
  const pattern = patternOf([{ text: from, quoted: false }]).source.slice(1, -1)
  return value.replace(new RegExp(pattern, all ? 'gs' : 's'), () => to)
}

/** Field splitting: blanks run together, and each other separator counts. */
function split(pieces: readonly Piece[], separators: string): Piece[][] {
  const fields: Piece[][] = []
  let open: Piece[] | undefined
  const close = () => {
    if (open) fields.push(open)
    open = undefined
  }
  for (const piece of pieces) {
    if (piece.breaks) close()
    if (!piece.expanded || separators === '') {
      if (piece.text !== '' || piece.quoted) open = [...(open ?? []), piece]
      continue
    }
    for (const run of piece.text.match(
      new RegExp(`[${escapeClass(separators)}]+|[^${escapeClass(separators)}]+`, 'g'),
    ) ?? []) {
      if (!separators.includes(run[0] ?? '')) open = [...(open ?? []), { text: run, quoted: false }]
      else {
        close()
        const hard = [...run].filter((sign) => !' \t\n'.includes(sign)).length
        for (let extra = 1; extra < hard; extra += 1) fields.push([])
      }
    }
  }
  close()
  return fields
}

const escapeClass = (signs: string) => signs.replace(/[\\\]^-]/g, '\\$&')

/** `{a,b}` and `{1..3}`, where the braces and what is in them are one unquoted text. */
function braces(word: Word): Word[] {
  for (const [index, part] of word.entries()) {
    if (part.kind !== 'text' || part.quoted) continue
    const found = /\{([^{}]*)\}/.exec(part.text)
    if (!found) continue
    const inside = found[1] ?? ''
    const range = /^(-?\d+)\.\.(-?\d+)$/.exec(inside)
    const choices = range ? sequence(Number(range[1]), Number(range[2])) : inside.split(',')
    if (choices.length < 2 && !range) continue
    return choices.flatMap((choice) =>
      braces([
        ...word.slice(0, index),
        { ...part, text: part.text.replace(found[0], () => choice) },
        ...word.slice(index + 1),
      ]),
    )
  }
  return [word]
}

const sequence = (from: number, to: number): string[] =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, step) => String(from < to ? from + step : from - step))
