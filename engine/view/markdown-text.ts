/** Texts from outside, made fit for Markdown: they can be read, and they can form nothing of their own. */
import { safe, safeLine } from './terminal-text.ts'

/** On one line, with everything escaped that Markdown or the HTML in it could take for markup; fit for a table cell too. */
export function plainMarkdown(text: string): string {
  return (
    safeLine(text)
      .replaceAll(/[\\`*_[\]~#$]/g, '\\$&')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('|', '&#124;')
      // neither a link, nor a person who is told, nor an item of a list
      .replaceAll(/:(?=\/\/)/g, '&#58;')
      .replaceAll(/\bwww\./gi, (www) => `${www.slice(0, 3)}&#46;`)
      .replaceAll('@', '&#64;')
      .replace(/^[-+=]/, '\\$&')
      .replace(/^(\d+)([.)])/, '$1\\$2')
  )
}

/**
 * A code span on one line, with a fence longer than any in it. In a table cell `|` ends even a code span, and what escapes
 * it depends on what stands before it, so a text with one is written with entities.
 */
export function codeSpan(text: string): string {
  const line = safeLine(text)
  if (line === '') return ''
  if (line.includes('|')) return `<code>${plainMarkdown(line)}</code>`
  const fence = '`'.repeat(longestRun(line) + 1)
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${line}${pad}${fence}`
}

/** A block of code, fenced by more backticks than stand in it anywhere. */
export function codeBlock(text: string, language = 'text'): string {
  const body = safe(text).trimEnd()
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1))
  return `${fence}${language}\n${body}\n${fence}`
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
}

/** A table; cells are Markdown already. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}
