import { expect, test } from 'vitest'
import { jsonLinesView } from '../../../engine/view/json-lines.ts'
import { hostile } from '../../support/sample-runs.ts'

test('each event is one line that reads back as it was', () => {
  let text = ''
  const view = jsonLinesView({ write: (more) => (text += more) })
  const events = [
    ...hostile().events(),
    { type: 'step.progress', key: 'a', text: 'x\u2028y\nz', at: '2026-11-21T08:16:30.000Z' } as const,
  ]
  for (const event of events) view.on(event)
  const lines = text.split(/[\n\u2028\u2029]/).slice(0, -1)
  expect(lines.map((line) => JSON.parse(line))).toEqual(events)
})
