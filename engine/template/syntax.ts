import type { TemplateProblem } from './problem.ts'

/** What the library threw over a text, in our words and with a place: it only tells a line and twenty characters. */
export function syntaxProblem(text: string, error: unknown): TemplateProblem {
  if (error instanceof RangeError)
    return {
      kind: 'syntax',
      message: 'the template is nested too deeply',
      start: 0,
      end: text.length,
      hint: 'compute the parts with `let`',
    }
  const { message } = error as Error
  const open = openBlock(text)
  const mismatch = /^(\S+) doesn't match (\S+)/.exec(message)
  if (mismatch?.[1] !== undefined) {
    const start = Math.max(0, text.indexOf(`{{#${mismatch[1]}`))
    return problem(
      text,
      start,
      `the block \`{{#${mismatch[1]}}}\` is closed by \`{{/${mismatch[2]}}}\``,
      `close it with \`{{/${mismatch[1]}}}\``,
    )
  }
  const at = placeIn(text, message)
  if (at >= text.trimEnd().length && open) {
    return problem(
      text,
      open.start,
      `the block \`{{#${open.name}}}\` is not closed`,
      `close it with \`{{/${open.name}}}\``,
    )
  }
  const start = text.lastIndexOf('{{', at)
  const inside =
    start < 0 ? '' : text.slice(start + 2, text.indexOf('}}', start) < 0 ? undefined : text.indexOf('}}', start))
  return problem(text, Math.max(0, start), ...explained(text, Math.max(0, start), inside.trim(), message))
}

function problem(text: string, start: number, message: string, hint: string): TemplateProblem {
  const close = text.indexOf('}}', start)
  return { kind: 'syntax', message, hint, start, end: close < 0 ? text.length : close + 2 }
}

const stays = 'for braces that stay as they are, write `\\{{`'

function explained(
  text: string,
  start: number,
  inside: string,
  message: string,
): readonly [message: string, hint: string] {
  const close = text.indexOf('}}', start)
  if (close < 0) return ['the template `{{` is not closed', `close it with \`}}\`; ${stays}`]
  if (inside === '') return ['the braces are empty', `name a value: \`{{ inputs.host }}\`; ${stays}`]
  const shown = `\`${text.slice(start, close + 2)}\``
  if (inside.startsWith('.') || inside.startsWith('range ') || inside.startsWith('$'))
    return [`${shown} is no template`, stays]
  if (inside.startsWith('/'))
    return [
      `${shown} closes a block that is not open`,
      'blocks begin with `{{#if …}}`, `{{#unless …}}` or `{{#each …}}`',
    ]
  if (message.includes("got 'CLOSE_RAW_BLOCK'") || message.includes("got 'CLOSE_UNESCAPED'"))
    return ['the braces behind the template are read as a part of it', 'put a blank between them: `}} }`']
  // `list[0]`, and `list.0` at the end of a path, which the library takes for the number `.0`
  const indexed = /^([\w.]+?)(?:\[(\d+)\]|\.(\d+)(?![\w.]))(.*)$/s.exec(inside)
  if (indexed)
    return [
      `${shown} is no template`,
      `items of a list are written \`{{ ${indexed[1]}.[${indexed[2] ?? indexed[3]}]${indexed[4]} }}\``,
    ]
  if (/[-+*/%=<>?:|&!()]/.test(inside))
    return [`${shown} computes, and a template only names values`, 'compute it in a `let` step, then name the result']
  return [`${shown} is no template`, `a template names a value: \`{{ inputs.host }}\`; ${stays}`]
}

/** The innermost block that nothing closes. */
function openBlock(text: string): { start: number; name: string } | undefined {
  const open: { start: number; name: string }[] = []
  for (const { 1: mark, 2: name = '', index } of text.matchAll(/(?<!\\)\{\{~?\s*([#/])\s*(\w+)/g)) {
    if (mark === '#') open.push({ start: index, name })
    else open.pop()
  }
  return open.at(-1)
}

/** The library draws up to twenty characters before the place and a marker below them; this finds them again. */
function placeIn(text: string, message: string): number {
  const [, line = '1', drawn = '', dashes = ''] = /^Parse error on line (\d+):\n([^\n]*)\n(-*)\^/.exec(message) ?? []
  const starts = [0, ...[...text.matchAll(/\r\n?|\n/g)].map(({ index, 0: ending }) => index + ending.length)]
  const from = starts[Number(line) - 1] ?? 0
  const before = drawn.slice(0, dashes.length)
  for (let at = from; at <= text.length; at++) {
    const past = text.slice(Math.max(0, at - 20), at).replaceAll('\n', '')
    if (`${at > 20 ? '...' : ''}${past}` === before) return at
  }
  return from
}
