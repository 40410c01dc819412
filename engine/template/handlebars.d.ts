/** Only the grammar of the library is loaded, not its compiler and runtime: these parts of it have no types of their own. */
declare module 'handlebars/dist/cjs/handlebars/compiler/base.js' {
  export function parse(text: string): hbs.AST.Program
}
