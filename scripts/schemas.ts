/** Writes `schemas/`: what is generated from the code is checked in, and a test says when it is stale. */
import { writeFileSync } from 'node:fs'
import { generatedSchemas } from '../engine/cli/generated-schemas.ts'

for (const [name, schema] of Object.entries(await generatedSchemas())) {
  writeFileSync(`schemas/${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`)
}
