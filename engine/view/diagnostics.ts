import type { Diagnostic } from '../diagnostic.ts'
import { drawDiagnostic, inOrder } from '../diagnostic.ts'
import { positionOf } from '../source.ts'
import { painter } from './colour.ts'
import { safe } from './terminal-text.ts'

/** Problems for people: each with its frame, then how many there are; empty where there is none. */
export function drawDiagnostics(
  diagnostics: readonly Diagnostic[],
  { colour = false }: { readonly colour?: boolean } = {},
): string {
  if (diagnostics.length === 0) return ''
  const paint = painter(colour)
  const drawn = inOrder(diagnostics).map((diagnostic) => {
    const [head = '', ...frame] = safe(drawDiagnostic(diagnostic)).split('\n')
    const style = diagnostic.severity === 'error' ? 'bad' : 'warn'
    const label = `${diagnostic.severity} ${diagnostic.code}`
    return [
      paint(style, label) + paint('strong', head.slice(label.length)),
      ...frame.map((line) =>
        /^ *\| *\^+$/.test(line) ? paint(style, line) : /^ *-->/.test(line) ? paint('dim', line) : line,
      ),
    ].join('\n')
  })
  return `${drawn.join('\n\n')}\n\n${countDiagnostics(inOrder(diagnostics))}\n`
}

/** `3 errors, 1 warning`. */
export function countDiagnostics(diagnostics: readonly Pick<Diagnostic, 'severity'>[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  return (
    [counted(errors, 'error'), counted(diagnostics.length - errors, 'warning')].filter(Boolean).join(', ') ||
    'no problems'
  )
}

function counted(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A problem for programs; lines and columns from 1, the end exclusive. */
export interface DiagnosticRecord {
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly hint?: string
}

export function diagnosticRecords(diagnostics: readonly Diagnostic[]): readonly DiagnosticRecord[] {
  return inOrder(diagnostics).map(({ code, severity, message, source, span, hint }) => {
    const start = positionOf(source, span.start)
    const end = positionOf(source, Math.max(span.start, span.end))
    return {
      code,
      severity,
      message,
      file: source.path,
      line: start.line,
      column: start.column,
      endLine: end.line,
      endColumn: end.column,
      ...(hint !== undefined && { hint }),
    }
  })
}
