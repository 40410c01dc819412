import { type Code, codes } from '../codes.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { decode } from '../document/decode.ts'
import { diagnose } from '../document/misfit.ts'
import { problemAt } from '../document/problem.ts'
import { read } from '../document/read.ts'
import type { Located } from '../document/tree.ts'
import { toJson } from '../document/tree.ts'
import { RunbookError } from '../error.ts'
import { readBytes } from '../host/files.ts'
import type { Json, Schema } from '../json.ts'
import { validatorOf } from '../schema.ts'
import type { Source } from '../source.ts'

/** Problems of files that were given, thrown together: drawn by the command line as they are. */
export class Problems extends RunbookError {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super('problems', `${diagnostics.length} problems`)
    this.diagnostics = diagnostics
  }
}

const codeOf: { readonly [problem: string]: Code } = {
  missing: 'RB1001',
  folder: 'RB1002',
  unreadable: 'RB1003',
  'too large': 'RB1004',
}

/** A file as a text, or the problem that it is none. */
export function readSource(
  path: string,
  hint?: string,
): { readonly source: Source } | { readonly problem: Diagnostic } {
  const found = readBytes(path)
  if ('problem' in found) {
    const source = { path, text: '' }
    return {
      problem: problemAt(
        source,
        { start: 0, end: 0 },
        codeOf[found.problem] ?? 'RB1003',
        `\`${path}\` cannot be read: ${found.why}`,
        hint,
      ),
    }
  }
  const { value, diagnostics } = decode(path, found.bytes)
  const [problem] = diagnostics
  return value ? { source: value } : { problem: problem as Diagnostic }
}

/** A YAML file that fits a schema, as a located tree. Throws `Problems`. */
export function readLocated(path: string, schema?: Schema): { readonly source: Source; readonly tree: Located } {
  const found = readSource(path)
  if ('problem' in found) throw new Problems([ofNoRunbook(found.problem)])
  const { value: tree, diagnostics } = read(found.source)
  if (!tree) throw new Problems(diagnostics)
  if (schema) {
    const misfits = validatorOf(schema)(toJson(tree))
    if (misfits.length > 0) throw new Problems(misfits.map((misfit) => diagnose(found.source, tree, misfit)))
  }
  return { source: found.source, tree }
}

/** `runbook init` is no help where it is not a runbook that is empty. */
function ofNoRunbook({ hint, ...problem }: Diagnostic): Diagnostic {
  return problem.code === 'RB1006' || hint === undefined ? problem : { ...problem, hint }
}

/** A problem of a file that may hold secrets and cannot be taken apart: of each line only what `open` gives is shown, its beginning. */
export function withoutText(problem: Diagnostic, open: (line: string) => string): Diagnostic {
  if (problem.source.text === '') return problem // nothing was read
  const lines = problem.source.text.split('\n').map((line) => {
    const shown = open(line).length
    return line.slice(0, shown) + line.slice(shown).replaceAll(/\S/g, '*')
  })
  return {
    ...problem,
    message: codes[problem.code],
    hint: 'what the file says is not shown, for it may be a secret',
    source: { ...problem.source, text: lines.join('\n') },
  }
}

/** A YAML file with passwords in it as JSON: where it is none, only the names of its fields are shown. Throws `Problems`. */
export function readSecretYaml(path: string): Json {
  try {
    return readYaml(path)
  } catch (error) {
    if (!(error instanceof Problems)) throw error
    throw new Problems(error.diagnostics.map((problem) => withoutText(problem, fieldIn)))
  }
}

const fieldIn = (line: string): string => /^\s*[\w-]+:/.exec(line)?.[0] ?? ''

/** A YAML file as JSON. Throws `Problems`. */
export function readYaml(path: string, schema?: Schema): Json {
  return toJson(readLocated(path, schema).tree)
}
