import type { Scope } from '../../../engine/template/template.ts'
import { parseTemplate, renderText, TemplateError } from '../../../engine/template/template.ts'

/** A template that is expected to be one. */
export function read(text: string) {
  const { template, problem } = parseTemplate(text)
  if (!template) throw new Error(`${text}: ${problem.message}`)
  return template
}

export function textOf(text: string, scope: Scope) {
  return renderText(read(text), scope)
}

/** How a rendering fails; the test fails when it does not. */
export function failureOf(render: () => unknown): TemplateError {
  try {
    render()
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error('it rendered')
}
