import { writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import { RunbookError } from '../error.ts'
import type { Entry } from '../run/event.ts'
import { renderHtml } from '../view/html.ts'
import { renderJson } from '../view/json.ts'
import { renderMarkdown } from '../view/markdown.ts'
import { renderText } from '../view/text.ts'

export const renderers: { readonly [format: string]: (entries: Iterable<Entry>) => string } = {
  text: (entries) => renderText(entries),
  markdown: renderMarkdown,
  html: renderHtml,
  json: renderJson,
}

const formats: { readonly [ending: string]: string } = {
  '.md': 'markdown',
  '.html': 'html',
  '.json': 'json',
  '.txt': 'text',
}

/** Writes a report in the form that the ending of its name asks for. */
export function writeReport(path: string, entries: Iterable<Entry>): void {
  const render = renderers[formats[extname(path)] ?? '']
  if (!render)
    throw new RunbookError('report_format', `a report cannot be written to \`${path}\``, {
      hint: 'its name ends in .md, .html, .json or .txt',
    })
  writeFileSync(path, render(entries))
}
