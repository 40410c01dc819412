import type { Checked } from '../diagnostic.ts'
import type { Source } from '../source.ts'
import { readCarefully } from './read-carefully.ts'
import { readEvents } from './read-events.ts'
import type { Located } from './tree.ts'

/** A YAML text as a located tree. Every problem of the text is told; the tree is there only when it is whole. */
export function read(source: Source): Checked<Located> {
  const tree = readEvents(source.text)
  return tree ? { value: tree, diagnostics: [] } : readCarefully(source)
}
