/// <reference types="handlebars" />
import { parse } from 'handlebars/dist/cjs/handlebars/compiler/base.js'
import { didYouMean } from '../diagnostic.ts'
import { helperNamed, helperNames } from './helper-set.ts'
import type { EachPart, Operand, Part, PathOperand } from './part.ts'
import { plainParts } from './plain.ts'
import { NoTemplate } from './problem.ts'

const longest = 200_000
/** The library takes quadratic time over what stands in one pair of braces, and over blocks in blocks. */
const longestBraces = 2_000
const mostBlocks = 500

/** What an `#each` round a place brings. */
interface Around {
  readonly names: readonly string[]
}

/**
 * Reads the text of a template. The library only reads: nothing is compiled, and its tree goes no further than here.
 * Throws `NoTemplate`, or what the library throws.
 */
export function readParts(text: string): readonly Part[] {
  return plainParts(text) ?? libraryParts(text)
}

/** The same, always with the library. */
export function libraryParts(text: string): readonly Part[] {
  refuseTooLarge(text)
  const offsets = offsetsOf(text)
  return body(parse(text), [])

  function body(program: hbs.AST.Program | undefined, around: readonly Around[]): readonly Part[] {
    return (program?.body ?? []).flatMap((statement) => part(statement, around))
  }

  function placeOf({ loc }: hbs.AST.Node): { start: number; end: number } {
    return { start: offsets(loc.start), end: offsets(loc.end) }
  }

  function part(statement: hbs.AST.Statement, around: readonly Around[]): readonly Part[] {
    const place = placeOf(statement)
    switch (statement.type) {
      case 'ContentStatement': {
        const { value } = statement as hbs.AST.ContentStatement
        return value === '' ? [] : [{ is: 'text', text: value }]
      }
      case 'CommentStatement':
        return []
      case 'MustacheStatement':
        return [{ is: 'value', of: mustache(statement as hbs.AST.MustacheStatement, around), ...place }]
      case 'BlockStatement':
        return [block(statement as hbs.AST.BlockStatement, around)]
      case 'PartialStatement':
      case 'PartialBlockStatement':
        throw new NoTemplate(
          'partial',
          place,
          'templates cannot include other templates',
          'write the text here, or make the step a runbook of its own',
        )
      default:
        throw new NoTemplate(
          'syntax',
          place,
          'decorators are no part of the language',
          'write `\\{{` for braces that stay as they are',
        )
    }
  }

  function mustache(statement: hbs.AST.MustacheStatement | hbs.AST.SubExpression, around: readonly Around[]): Operand {
    const { path, params, hash } = statement
    const place = placeOf(statement)
    if (path.type !== 'PathExpression') {
      throw new NoTemplate(
        'syntax',
        place,
        'a fixed value stands in braces',
        'write it as plain text, without the braces',
      )
    }
    if (params.length === 0 && !hash && statement.type === 'MustacheStatement')
      return pathOperand(path as hbs.AST.PathExpression, around)
    return helper(statement, around)
  }

  function helper(
    { path, params, hash, ...statement }: hbs.AST.MustacheStatement | hbs.AST.SubExpression,
    around: readonly Around[],
  ): Operand {
    const name = (path as hbs.AST.PathExpression).original
    const at = placeOf(path)
    const known = helperNamed(name)
    if (!known) {
      const hint =
        didYouMean(name, helperNames()) ??
        `there are: ${helperNames().join(', ')}; what they cannot say is computed in a \`let\` step`
      throw new NoTemplate(
        'unknown_helper',
        at,
        blockNames.includes(name) ? `\`${name}\` needs a block` : `no helper is called \`${name}\``,
        blockNames.includes(name) ? `write \`{{#${name} …}}…{{/${name}}}\`` : hint,
      )
    }
    if (hash) throw new NoTemplate('argument', placeOf(hash), `\`${name}\` takes no named values`, known.usage)
    if (params.length < known.needs || params.length > known.most) {
      throw new NoTemplate(
        'argument',
        at,
        `\`${name}\` does not take ${params.length} values`,
        `write \`${known.usage}\``,
      )
    }
    return { is: 'helper', helper: name, args: params.map((param) => operand(param, around)), ...placeOf(statement) }
  }

  function operand(expression: hbs.AST.Expression, around: readonly Around[]): Operand {
    switch (expression.type) {
      case 'PathExpression':
        return pathOperand(expression as hbs.AST.PathExpression, around)
      case 'SubExpression':
        return mustache(expression as hbs.AST.SubExpression, around)
      case 'NullLiteral':
      case 'UndefinedLiteral':
        return { is: 'literal', value: null }
      default:
        return { is: 'literal', value: (expression as hbs.AST.StringLiteral).value }
    }
  }

  function block(statement: hbs.AST.BlockStatement, around: readonly Around[]): Part {
    const place = placeOf(statement)
    const name = statement.path.original
    if (text.startsWith('{{{{', place.start)) {
      throw new NoTemplate(
        'syntax',
        place,
        'raw blocks are no part of the language',
        'write `\\{{` for braces that stay as they are',
      )
    }
    if (!blockNames.includes(name)) {
      const hint = didYouMean(name, blockNames) ?? `write \`{{#if ${name}}}\` or \`{{#each ${name}}}\``
      throw new NoTemplate('unknown_helper', placeOf(statement.path), `no block is called \`${name}\``, hint)
    }
    const [head, more] = statement.params
    if (!head || more || statement.hash) {
      throw new NoTemplate(
        'argument',
        placeOf(statement.path),
        `\`#${name}\` takes one value`,
        `write \`{{#${name} inputs.list}}…{{/${name}}}\``,
      )
    }
    const test = operand(head, around)
    if (name === 'each') return each(statement, test, around)
    const [yes, no] = [body(statement.program, around), body(statement.inverse, around)]
    return name === 'if' ? { is: 'if', test, yes, no, ...place } : { is: 'if', test, yes: no, no: yes, ...place }
  }

  function each(statement: hbs.AST.BlockStatement, over: Operand, around: readonly Around[]): EachPart {
    const names = statement.program?.blockParams ?? []
    return {
      is: 'each',
      over,
      names,
      body: body(statement.program, [...around, { names }]),
      otherwise: body(statement.inverse, around),
      ...placeOf(statement),
    }
  }

  function pathOperand(path: hbs.AST.PathExpression, around: readonly Around[]): PathOperand {
    const place = placeOf(path)
    const written = text.slice(place.start, place.end)
    const parts = path.parts.map((each) => (/^(?:0|[1-9]\d{0,8})$/.test(each) ? Number(each) : each))
    const common = { is: 'path', written, ...place } as const
    if (path.data) return dataOperand(path, parts, around, common)
    if (path.depth > around.length)
      throw new NoTemplate('syntax', place, `\`${written}\` goes beyond the outermost level`, 'leave out the `../`')
    const name = parts[0]
    const explicit = /^(?:this\b|\.)/.test(written)
    if (typeof name === 'string' && !explicit && path.depth === 0) {
      const up = around.toReversed().findIndex(({ names }) => names.includes(name))
      if (up >= 0) return { ...common, up, from: 'name', name, path: parts.slice(1) }
    }
    if (path.depth === around.length && parts.length === 0)
      throw new NoTemplate('syntax', place, `\`${written}\` names no value here`, 'name a value: `{{ inputs.host }}`')
    return { ...common, up: path.depth, from: 'item', path: parts }
  }

  type Common = Pick<PathOperand, 'is' | 'written' | 'start' | 'end'>

  function dataOperand(
    path: hbs.AST.PathExpression,
    [head, ...rest]: (string | number)[],
    around: readonly Around[],
    common: Common,
  ): PathOperand {
    if (head === 'root' && rest.length > 0) return { ...common, up: 0, from: 'root', path: rest }
    if (head === 'index' || head === 'key' || head === 'first' || head === 'last') {
      if (rest.length === 0 && path.depth < around.length) return { ...common, up: path.depth, from: head, path: [] }
    }
    throw new NoTemplate(
      'syntax',
      common,
      `\`${common.written}\` names no value here`,
      'inside `#each` there are `@index`, `@key`, `@first` and `@last`; everywhere `@root.inputs`',
    )
  }
}

function refuseTooLarge(text: string): void {
  const refuse = (start: number, message: string) => {
    throw new NoTemplate('syntax', { start, end: text.length }, message, 'compute the parts with `let`')
  }
  if (text.length > longest) refuse(0, `the template is longer than ${longest} characters`)
  let blocks = 0
  for (const { 0: braces, index } of text.matchAll(/\{\{(?:(?!\}\}|\{\{).)*/gs)) {
    if (braces.startsWith('{{#')) blocks++
    if (braces.length > longestBraces && !braces.startsWith('{{!'))
      refuse(index, `more than ${longestBraces} characters stand in one pair of braces`)
    if (blocks > mostBlocks) refuse(index, `the template has more than ${mostBlocks} blocks`)
  }
}

const blockNames: readonly string[] = ['if', 'unless', 'each']

/** From the library's lines and columns to offsets. */
function offsetsOf(text: string): (position: hbs.AST.Position) => number {
  const starts = [0, ...[...text.matchAll(/\r\n?|\n/g)].map(({ index, 0: ending }) => index + ending.length)]
  return ({ line, column }) => Math.min(text.length, (starts[line - 1] ?? text.length) + column)
}
