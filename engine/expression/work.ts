import { BadValue } from './failure.ts'

/** How much an evaluation may do unless told: about half a second of a slow machine. */
export const defaultBudget = 5_000_000

/** No text that an expression makes is longer, in UTF-16 units. */
const longestText = 4_000_000

/** What an evaluation may still do. A tick is about one part of an expression evaluated once. */
export interface Work {
  left: number
}

/** Counts work before it is done; throws when the expression has had its share. */
export function spend(work: Work, ticks: number): void {
  work.left -= ticks
  if (work.left < 0) {
    throw new BadValue(
      'work',
      'the expression did too much work',
      'narrow the lists down first, with `filter` in an earlier `let`',
    )
  }
}

/** Counts the making of a text. */
export function spendText(work: Work, length: number): void {
  if (length > longestText)
    throw new BadValue('work', `the expression made a text of more than ${longestText} characters`)
  spend(work, length >> 5)
}
