/** Writes the pages of `docs/reference` that are made from the code; a test says when they are stale. */
import { writeFileSync } from 'node:fs'
import { referencePages } from './reference-pages.ts'

for (const [path, text] of Object.entries(await referencePages())) writeFileSync(path, text)
