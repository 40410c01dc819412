/**
 * What the actions that ship declare is a text in the built program: a check asks for a few schemas of very many, and for
 * nothing of what the actions do.
 */
import type { Plugin } from 'esbuild'
import { writtenDeclaration } from '../engine/action/declared.ts'
import { builtIn } from '../engine/cli/built-in.ts'

export const declarationsAsText: Plugin = {
  name: 'declarations-as-text',
  setup({ onLoad }) {
    onLoad({ filter: /engine\/cli\/shipped\.ts$/ }, () => ({
      contents: shipped(),
      loader: 'ts',
      resolveDir: 'engine/cli',
    }))
  },
}

/** In the place of `engine/cli/shipped.ts`. */
function shipped(): string {
  return `
    import { readDeclaration } from '../action/declared.ts'
    export const shipped = ${JSON.stringify(builtIn.map(writtenDeclaration))}.map(readDeclaration)`
}
