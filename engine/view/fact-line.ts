/** What a line that explains a fact begins with. */
export const indent = ' '.repeat(10)

/** `08:16:31  ok           drain[9f3c]  Move web-1`. */
export function factLine(at: string, label: string, text: string): string {
  return `${at.slice(11, 19)}  ${label} ${text}`.trimEnd()
}
