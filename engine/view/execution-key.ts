/**
 * Reads the keys that `engine/run/key.ts` writes. One execution of a step has several in the transcript: `drain[c1]`, its
 * second try `drain[c1]~2`, and what is about it, such as `drain[c1]!doubt`. What undoes a step, `drain[c1]!undo`, is an
 * execution of its own.
 */
export function executionOf(key: string): string {
  for (let shorter = key; ; ) {
    const next = shorter.replace(/(?:~\d+|!(?!undo$)[^/!~[]+)$/, '')
    if (next === shorter) return next
    shorter = next
  }
}

/** Whether the key is of a look at the world (to preview, or to settle a doubt), not of the step itself. */
export function isLookOnly(key: string): boolean {
  return /!(?:settled|plan)$/.test(key)
}

/** The execution this one stands in, by its key; empty for the outermost. */
export function parentOf(execution: string): string {
  const end = Math.max(execution.lastIndexOf('/'), execution.lastIndexOf('['), execution.lastIndexOf('!'))
  return end <= 0 ? '' : executionOf(execution.slice(0, end))
}

/** The entry of this key's execution, or of the nearest one it stands in. */
export function nearest<T>(entries: ReadonlyMap<string, T>, key: string): T | undefined {
  for (let at = executionOf(key); at !== ''; at = parentOf(at)) {
    const entry = entries.get(at)
    if (entry !== undefined) return entry
  }
  return undefined
}

/** `9f3c` of `drain[9f3c]`, as it was before it became a part of a key. */
export function itemName(execution: string): string {
  if (!execution.endsWith(']')) return execution
  const name = execution.slice(execution.lastIndexOf('[') + 1, -1)
  return name.replaceAll(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
