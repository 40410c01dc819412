/** One condition on a label: `instance=~"c1(:.*)?"`. */
export interface Matcher {
  readonly name: string
  readonly operator: '=' | '=~' | '!=' | '!~'
  readonly value: string
}

const shape = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*([\s\S]*?)\s*$/

/** As `amtool` reads it; a text is what it says is wrong. */
export function readMatcher(text: string): Matcher | string {
  const [, name, operator, raw] = shape.exec(text) ?? []
  if (name === undefined || raw === undefined) return `bad matcher format: ${text}`
  const quoted = raw.startsWith('"')
  const body = quoted ? raw.slice(1, raw.length > 1 && raw.endsWith('"') ? -1 : undefined) : raw
  const unescaped = body.replaceAll(/\\[\s\S]/g, '')
  if (unescaped.includes('"') || (quoted && !closed(raw)))
    return `matcher value contains unescaped double quote: ${raw}`
  // a backslash before anything else stands for itself
  const value = body.replaceAll(/\\([n"\\])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  if (operator?.endsWith('~') && !isPattern(value)) return `error parsing regexp: ${value}`
  return { name, operator: operator as Matcher['operator'], value }
}

/** Whether a text that begins with a quote also ends with one, that no backslash takes. */
function closed(raw: string): boolean {
  return /^"([^"\\]|\\[\s\S])*"$/.test(raw)
}

function isPattern(value: string): boolean {
  try {
    new RegExp(`^(?:${value})$`)
    return true
  } catch {
    return false
  }
}

export function shownMatcher({ name, operator, value }: Matcher): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
  return `${name}${operator}"${escaped}"`
}

/** Whether a label that is not there fits. */
export function matchesNothing({ operator, value }: Matcher): boolean {
  const fits = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test('') : value === ''
  return operator.startsWith('!') ? !fits : fits
}

/** Whether a silence is one of those that a filter asks for: it has each of these matchers, letter by letter. */
export function passes(matchers: readonly Matcher[], filter: readonly Matcher[]): boolean {
  return filter.every((wanted) => matchers.some((matcher) => shownMatcher(matcher) === shownMatcher(wanted)))
}
