import { printable } from '../diagnostic.ts'
import type { Runbook, Step } from '../document/runbook.ts'
import { groupsOf } from '../document/runbook.ts'

/** A runbook for people: what it is for, what it needs, what it does. */
export function describeRunbook(runbook: Runbook): string {
  const inputs = runbook.inputs.map(({ name, schema, required, secret }) => {
    const facts = [
      String(schema['type'] ?? 'any'),
      ...(secret ? ['secret'] : []),
      ...(required ? ['required'] : [`default ${JSON.stringify(schema['default'])}`]),
    ]
    return `  ${name}  (${facts.join(', ')})\n      ${String(schema['description'] ?? '')}`.trimEnd()
  })
  const parts = [
    `${runbook.name.text}: ${runbook.title}`,
    runbook.description.trimEnd(),
    inputs.length > 0 ? `Inputs:\n${inputs.join('\n')}` : 'Inputs: none',
    `Steps:\n${lines(runbook.steps, 1).join('\n')}`,
    ...(runbook.outputs.length > 0 ? [`Outputs: ${runbook.outputs.map(({ name }) => name).join(', ')}`] : []),
  ]
  return `${printable(parts.filter((part) => part !== '').join('\n\n'))}\n`
}

function lines(steps: readonly Step[], depth: number): string[] {
  return steps.flatMap((step) => {
    const what =
      step.kind === 'action' ? step.action.text : step.kind === 'runbook' ? `runbook ${step.runbook.text}` : step.kind
    const own = `${'  '.repeat(depth)}${step.id.text}: ${step.name?.text ?? ''} [${what}]`.replace(':  [', ' [')
    return [own, ...groupsOf(step).flatMap(({ steps: inside }) => lines(inside, depth + 1))]
  })
}
