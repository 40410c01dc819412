/** What a person gets to read when the text is not YAML: one cause, said where it would be mended. */
import { expect, test } from 'vitest'
import { readCarefully } from '../../../engine/document/read-carefully.ts'

/** The text, the piece of it that is marked, and what is said of it. `‸` stands before the piece. */
test.each([
  [
    'a key that is too far in',
    'steps:\n  - id: a\n     ‸action: x\n    with: 1\n',
    'action',
    /further than `id` above/,
  ],
  ['a key below a value', 'title: it\n  ‸really: is\n', 'really', /further than `title` above/],
  ['a key too far out', 'steps:\n  - id: a\n   ‸action: x\n', 'a', /in which nothing above it begins/],
  ['no colon', 'kind: x\n‸name a\n', 'name a', /neither a key nor a value/],
  ['no colon, first of all', '‸name a\nsteps: []\n', 'name a', /neither a key nor a value/],
  ['a quote without end, in braces', 'a: { b: ‸"x }\nc: { d: y }\n', '"', /this `"` does not end/],
  ['a quote without end, below', "a: 'x'\nb: ‸'it\nc:\n  - d: 'y'\n", "'", /this `'` does not end/],
  ['a bracket without end', 'a:\n  b: ‸[x, [y]\n  c: z\n', '[', /this `\[` does not end/],
  ['a bracket that another one ends', 'a: { b: ‸[x, y }\n', '[', /this `\[` does not end/],
  ['braces without end, around all', '‸{ a: [1], b: "}"\n', '{', /this `\{` does not end/],
  ['a colon in a text', 'name: ‸Restart it: the short way\n', 'Restart it: the short way', /a colon with a space/],
])('%s', (_, marked, piece, message) => {
  const text = marked.replace('‸', '')
  const { value, diagnostics } = readCarefully({ path: 'fault.yaml', text })
  expect(value).toBeUndefined()
  expect(diagnostics).toHaveLength(1)
  expect(diagnostics[0]).toMatchObject({ code: 'RB1007', message: expect.stringMatching(message) })
  const { start, end } = diagnostics[0]?.span ?? { start: 0, end: 0 }
  expect([start, text.slice(start, end)]).toEqual([marked.indexOf('‸'), piece])
})
