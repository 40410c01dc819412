import type { Node } from './node.ts'

/** A part with the brackets round it. Behind what comes first in an expression stands an operator, or the brackets end. */
export function leading(text: string, node: Node): Node {
  let { start, end } = node
  for (;;) {
    const close = skip(text, end)
    if (text[close] !== ')') return start === node.start ? node : { ...node, start, end }
    const open = skipBack(text, start)
    if (text[open] !== '(') return start === node.start ? node : { ...node, start, end }
    start = open
    end = close + 1
  }
}

/** The same for what comes last: in front of it stands an operator, or brackets begin. */
export function trailing(text: string, node: Node): Node {
  let { start, end } = node
  for (;;) {
    const open = skipBack(text, start)
    if (text[open] !== '(') return start === node.start ? node : { ...node, start, end }
    const close = skip(text, end)
    if (text[close] !== ')') return start === node.start ? node : { ...node, start, end }
    start = open
    end = close + 1
  }
}

function skip(text: string, from: number): number {
  let at = from
  while (/\s/.test(text[at] ?? '')) at++
  return at
}

function skipBack(text: string, from: number): number {
  let at = from - 1
  while (/\s/.test(text[at] ?? '')) at--
  return at
}
