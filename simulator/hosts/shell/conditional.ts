import { absolute } from '../machine/files.ts'
import { expandPattern, expandText } from './expand.ts'
import type { Shell } from './state.ts'
import type { Word } from './syntax.ts'

/** `test` and `[`, on words already expanded. @throws when it cannot be read, with the message */
export function evaluateTest(shell: Shell, args: readonly string[]): boolean {
  let at = 0
  const either = (): boolean => {
    let value = both()
    while (args[at] === '-o') {
      at += 1
      const right = both()
      value = value || right
    }
    return value
  }
  const both = (): boolean => {
    let value = one()
    while (args[at] === '-a') {
      at += 1
      const right = one()
      value = value && right
    }
    return value
  }
  const one = (): boolean => {
    const [first, second, third] = args.slice(at, at + 3)
    if (first === undefined) return false
    if (third !== undefined && second !== undefined && binary.has(second)) {
      at += 3
      return compare(shell, first, second, third)
    }
    if (first === '!' && args.length - at > 1) {
      at += 1
      return !one()
    }
    if (first === '(') {
      at += 1
      const value = either()
      at += 1
      return value
    }
    if (second !== undefined && /^-[a-zA-Z]$/.test(first)) {
      at += 2
      return unary(shell, first, second)
    }
    at += 1
    return first !== ''
  }
  const value = either()
  if (at < args.length) throw new Error('too many arguments')
  return value
}

/** `[[ … ]]`: nothing is split, and `=` takes a pattern. */
export async function conditional(shell: Shell, words: readonly Word[]): Promise<boolean> {
  let at = 0
  const signAt = (index: number) => {
    const part = words[index]?.[0]
    return words[index]?.length === 1 && part?.kind === 'text' && !part.quoted ? part.text : undefined
  }
  const either = async (): Promise<boolean> => {
    let value = await both()
    while (signAt(at) === '||') {
      at += 1
      const right = await both()
      value = value || right
    }
    return value
  }
  const both = async (): Promise<boolean> => {
    let value = await one()
    while (signAt(at) === '&&') {
      at += 1
      const right = await one()
      value = value && right
    }
    return value
  }
  const one = async (): Promise<boolean> => {
    const first = signAt(at)
    if (first === '!') {
      at += 1
      return !(await one())
    }
    if (first === '(') {
      at += 1
      const value = await either()
      at += 1
      return value
    }
    const text = async (index: number) => expandText(shell, words[index] ?? [])
    const op = signAt(at + 1)
    if (op !== undefined && (binary.has(op) || op === '=~' || op === '<' || op === '>')) {
      const left = await text(at)
      const right = words[at + 2] ?? []
      at += 3
      if (op === '=~') return new RegExp(await expandText(shell, right)).test(left)
      if (op === '=' || op === '==') return (await expandPattern(shell, right)).test(left)
      if (op === '!=') return !(await expandPattern(shell, right)).test(left)
      return compare(shell, left, op, await expandText(shell, right))
    }
    if (first !== undefined && /^-[a-zA-Z]$/.test(first) && words[at + 1]) {
      at += 2
      return unary(shell, first, await text(at - 1))
    }
    at += 1
    return (await text(at - 1)) !== ''
  }
  return either()
}

const binary = new Set(['=', '==', '!=', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef', '<', '>'])

function compare({ machine, me }: Shell, left: string, op: string, right: string): boolean {
  const number = (text: string) => {
    if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new Error(`${text}: integer expression expected`)
    return Number(text)
  }
  const changedAt = (path: string) => machine.files.find(absolute(me.cwd, path))?.modifiedAt ?? -1
  switch (op) {
    case '=':
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    case '-eq':
      return number(left) === number(right)
    case '-ne':
      return number(left) !== number(right)
    case '-lt':
      return number(left) < number(right)
    case '-le':
      return number(left) <= number(right)
    case '-gt':
      return number(left) > number(right)
    case '-ge':
      return number(left) >= number(right)
    case '-nt':
      return changedAt(left) > changedAt(right)
    case '-ot':
      return changedAt(left) < changedAt(right)
    default:
      return absolute(me.cwd, left) === absolute(me.cwd, right)
  }
}

function unary({ machine, me, variables }: Shell, op: string, value: string): boolean {
  const path = absolute(me.cwd, value)
  const node = machine.files.find(path)
  switch (op) {
    case '-n':
      return value !== ''
    case '-z':
      return value === ''
    case '-v':
      return variables.has(value)
    case '-e':
    case '-r':
    case '-w':
      return node !== undefined
    case '-f':
      return node?.kind === 'file' && !machine.special.has(path)
    case '-d':
      return node?.kind === 'folder'
    case '-s':
      return node?.kind === 'file' && machine.files.read(path).length > 0
    case '-x':
      return node?.kind === 'folder' || ((node?.mode ?? 0) & 0o111) !== 0
    case '-h':
    case '-L':
      return machine.files.find(path, { follow: false })?.kind === 'link'
    case '-S':
      return machine.special.get(path) === 'socket'
    case '-b':
      return machine.special.get(path) === 'block'
    case '-c':
      return machine.special.get(path) === 'character'
    default:
      return false
  }
}
