import { writeFileSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { exitCode, RunbookError } from '../error.ts'
import { isFolder } from '../host/files.ts'
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

/** Throws when a report could not be written there: told before anything runs, not when it is over. */
export function demandReports(paths: readonly string[]): void {
  for (const path of paths) renderFor(path)
}

function renderFor(path: string): (entries: Iterable<Entry>) => string {
  const render = renderers[formats[extname(path)] ?? '']
  if (!render) {
    const hint = 'its name ends in .md, .html, .json or .txt'
    throw new RunbookError('report_format', `a report cannot be written to \`${path}\``, { hint })
  }
  if (!isFolder(dirname(path))) {
    const hint = 'make it first; nothing was begun'
    throw new RunbookError('report_folder', `the folder of the report \`${path}\` does not exist`, { hint })
  }
  return render
}

/** Writes a report in the form that the ending of its name asks for. */
export function writeReport(path: string, entries: Iterable<Entry>): void {
  const text = renderFor(path)(entries)
  try {
    writeFileSync(path, text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const hint = 'the run is over and recorded: `runbook show` writes the report again'
    throw new RunbookError('report_not_written', `the report cannot be written: ${why}`, {
      exitCode: exitCode.failed,
      hint,
      cause,
    })
  }
}
