import type { Preview } from '../../engine/action/contract.ts'

type Change = Preview['changes'][number]

/** Longer texts are told by their digests: nobody reads the rest, and comparing takes the product of both. */
const longest = 2_000

/** The lines that differ, each with its number: in the old text when it goes, in the new when it comes. */
export function lineDiff(path: string, before: string, after: string): Change[] | undefined {
  const old = linesOf(before)
  const fresh = linesOf(after)
  if (old.length > longest || fresh.length > longest) return undefined
  let start = 0
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++
  let end = 0
  while (end < old.length - start && end < fresh.length - start && old.at(-1 - end) === fresh.at(-1 - end)) end++
  const changes: Change[] = []
  let [left, right] = [start, start]
  for (const [keptLeft, keptRight] of [
    ...common(old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)),
    [old.length - end - start, fresh.length - end - start] as const,
  ]) {
    for (; left < keptLeft + start; left++) changes.push({ path: `${path}:${left + 1}`, before: old[left] ?? '' })
    for (; right < keptRight + start; right++) changes.push({ path: `${path}:${right + 1}`, after: fresh[right] ?? '' })
    left++
    right++
  }
  if (changes.length === 0 && before !== after)
    changes.push({ path: `${path}: the end of its last line`, after: after.endsWith('\n') })
  return changes
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Places of a longest common subsequence. */
function common(old: readonly string[], fresh: readonly string[]): (readonly [number, number])[] {
  const width = fresh.length + 1
  const length = new Uint16Array((old.length + 1) * width)
  const at = (row: number, column: number) => length[row * width + column] ?? 0
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = fresh.length - 1; column >= 0; column--) {
      length[row * width + column] =
        old[row] === fresh[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const places: (readonly [number, number])[] = []
  for (let [row, column] = [0, 0]; row < old.length && column < fresh.length; ) {
    if (old[row] === fresh[column]) places.push([row++, column++])
    else if (at(row + 1, column) >= at(row, column + 1)) row++
    else column++
  }
  return places
}
