import { leading, trailing } from './brackets.ts'
import type { Node, Operator } from './node.ts'
import { isMacro } from './node.ts'

const longest = 2_000
const deepest = 40
const mostArguments = 30

/** White space and one token: a name, a number, a text in either kind of quotes, or a sign. */
const pattern =
  /[ \t\n\r]*(?:([A-Za-z_]\w*)(?![\w'"])|(\d+(?:\.\d+)?)(?![\w.])|'((?:[^'\\\n\r]|\\['"\\nrt])*)'(?!')|"((?:[^"\\\n\r]|\\['"\\nrt])*)"(?!")|(==|!=|<=|>=|&&|\|\||\/(?!\/)|[-+*%<>!()[\]{}.,:?])|$)/y

/** How strongly the signs bind that stand between two parts. */
const strengths: { readonly [sign: string]: number } = {
  '||': 1,
  '&&': 2,
  ...{ '==': 3, '!=': 3 },
  ...{ '<': 4, '<=': 4, '>': 4, '>=': 4, in: 4 },
  ...{ '+': 5, '-': 5 },
  ...{ '*': 6, '/': 6, '%': 6 },
}
const constants: ReadonlyMap<string, null | boolean> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])
const escapes: { readonly [letter: string]: string } = { n: '\n', r: '\r', t: '\t' }
const reserved: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while __proto__ prototype'.split(
    ' ',
  ),
)

/** Thrown on the way: the library is to read it. */
class Unusual extends Error {}

function unusual(): never {
  throw new Unusual()
}

/**
 * An expression as nearly all are, read without the library: to load that takes longer than to read hundreds of them
 * here. Undefined for anything else, also for what is no expression: the library says why.
 */
export function plainNode(text: string): Node | undefined {
  if (text.length > longest) return undefined
  try {
    return readPlain(text)
  } catch (error) {
    if (error instanceof Unusual) return undefined
    throw error
  }
}

function readPlain(text: string): Node {
  let depth = 0
  /** The token that comes next, and where it stands. */
  let kind: 'name' | 'number' | 'text' | 'sign' | 'end' = 'end'
  let token = ''
  let start = 0
  let end = 0
  /** Where the one before it ends. */
  let behind = 0

  next()
  const whole = expression()
  return kind === 'end' ? whole : unusual()

  function next(): void {
    behind = end
    pattern.lastIndex = end
    const [, name, number, single, double, sign] = pattern.exec(text) ?? unusual()
    const quoted = single ?? double
    token = name ?? sign ?? number ?? quoted ?? ''
    if (name !== undefined) kind = 'name'
    else if (sign !== undefined) kind = 'sign'
    else if (number !== undefined) kind = 'number'
    else kind = quoted === undefined ? 'end' : 'text'
    end = pattern.lastIndex
    start = end - token.length - (kind === 'text' ? 2 : 0)
  }

  function isNext(sign: string): boolean {
    return token === sign && kind === 'sign'
  }

  function skips(sign: string): boolean {
    const found = isNext(sign)
    if (found) next()
    return found
  }

  function expect(sign: string): void {
    if (!skips(sign)) unusual()
  }

  function deeper(): void {
    if (++depth > deepest) unusual()
  }

  function expression(): Node {
    deeper()
    let node = operation(1)
    if (skips('?')) {
      const test = leading(text, node)
      const yes = trailing(text, expression())
      expect(':')
      const no = trailing(text, expression())
      node = { kind: 'choice', test, yes, no, start: test.start, end: no.end }
    }
    depth--
    return node
  }

  /** Parts with signs between them that bind at least as strongly. */
  function operation(least: number): Node {
    let node = unary()
    for (;;) {
      const sign = kind === 'sign' || (kind === 'name' && token === 'in') ? token : ''
      const strength = strengths[sign] ?? 0
      if (strength < least) return node
      next()
      const left = leading(text, node)
      const right = trailing(text, operation(strength + 1))
      const place = { left, right, start: left.start, end: right.end }
      if (sign === '&&') node = { kind: 'and', ...place }
      else if (sign === '||') node = { kind: 'or', ...place }
      else node = { kind: 'operator', name: sign as Operator, ...place }
    }
  }

  function unary(): Node {
    const from = start
    const not = isNext('!')
    if (!not && !isNext('-')) return postfix()
    deeper()
    next()
    const of = trailing(text, unary())
    depth--
    if (!not && of.kind === 'literal' && typeof of.value === 'number') return { ...of, value: -of.value, start: from }
    return { kind: not ? 'not' : 'negative', of, start: from, end: of.end }
  }

  function postfix(): Node {
    const outside = depth
    let node = primary()
    for (;;) {
      if (skips('.')) {
        const optional = skips('?')
        const field = name()
        if (!optional && skips('(')) node = method(node, field)
        else {
          const of = leading(text, node)
          node = { kind: 'select', of, field, optional, start: of.start, end: behind }
        }
      } else if (skips('[')) {
        const optional = skips('?')
        const at = expression()
        expect(']')
        const of = leading(text, node)
        node = { kind: 'index', of, at, optional, start: of.start, end: behind }
      } else {
        depth = outside
        return node
      }
      deeper()
    }
  }

  function name(): string {
    const found = token
    if (kind !== 'name' || found === 'in' || constants.has(found)) unusual()
    next()
    return found
  }

  function primary(): Node {
    const [from, written] = [start, token]
    if (kind === 'sign') return inBrackets(from)
    if (kind === 'end') return unusual()
    if (kind === 'name' && !constants.has(token)) {
      const called = name()
      if (reserved.has(called)) unusual()
      if (!isNext('(')) return { kind: 'name', name: called, start: from, end: behind }
      next()
      return call(called, from)
    }
    const value =
      kind === 'name' ? (constants.get(token) ?? null) : kind === 'number' ? numberOf(written) : textOf(written)
    next()
    return { kind: 'literal', value, start: from, end: behind }
  }

  function inBrackets(from: number): Node {
    if (skips('(')) {
      const node = expression()
      expect(')')
      return node
    }
    if (skips('[')) {
      const items = parts(']', expression)
      return { kind: 'list', items, start: from, end: behind }
    }
    expect('{')
    const entries = parts('}', entry)
    return { kind: 'map', entries, start: from, end: behind }
  }

  function entry(): readonly [Node, Node] {
    const key = expression()
    expect(':')
    return [key, expression()]
  }

  /** What stands between commas, up to a sign; behind the last of them a comma may stand. */
  function parts<T>(close: string, read: () => T): T[] {
    const found: T[] = []
    while (!isNext(close)) {
      found.push(read())
      if (!skips(',')) break
    }
    expect(close)
    return found
  }

  function call(called: string, from: number): Node {
    const args = parts(')', expression)
    if (args.length > mostArguments) unusual()
    if (called !== 'has') return { kind: 'call', name: called, args, method: false, start: from, end: behind }
    const [of] = args
    return of?.kind === 'select' && args.length === 1 ? { kind: 'has', of, start: from, end: behind } : unusual()
  }

  function method(receiver: Node, called: string): Node {
    const args = parts(')', expression)
    if (args.length > mostArguments) unusual()
    const [first, second, third] = args
    if (called === 'bind') {
      if (receiver.kind !== 'name' || receiver.name !== 'cel' || args.length !== 3) return unusual()
      if (first?.kind !== 'name' || !second || !third) return unusual()
      return { kind: 'bind', name: first.name, value: second, body: third, start: receiver.start, end: behind }
    }
    const over = leading(text, receiver)
    const place = { start: over.start, end: behind }
    if (!isMacro(called, args.length))
      return { kind: 'call', name: called, args: [over, ...args], method: true, ...place }
    if (first?.kind !== 'name' || !second) return unusual()
    const [test, body] = third ? [second, third] : [undefined, second]
    return { kind: 'each', macro: called, over, name: first.name, test, body, ...place }
  }
}

function numberOf(written: string): number {
  const value = Number(written)
  return written.includes('.') || Number.isSafeInteger(value) ? value : unusual()
}

function textOf(written: string): string {
  if (!written.includes('\\')) return written
  return written.replaceAll(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter)
}
