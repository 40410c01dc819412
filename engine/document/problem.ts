import type { Code } from '../codes.ts'
import type { Diagnostic } from '../diagnostic.ts'
import type { Source, Span } from '../source.ts'

export function problemAt(source: Source, span: Span, code: Code, message: string, hint?: string): Diagnostic {
  return { code, severity: 'error', message, source, span, ...(hint !== undefined && { hint }) }
}

export function warningAt(source: Source, span: Span, code: Code, message: string, hint?: string): Diagnostic {
  return { ...problemAt(source, span, code, message, hint), severity: 'warning' }
}
