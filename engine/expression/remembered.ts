/** A function of texts that keeps what it gave: the same text is worked on once. When it holds `most`, it begins anew. */
export function remembered<T>(most: number, find: (text: string) => T): (text: string) => T {
  const found = new Map<string, T>()
  return (text) => {
    const known = found.get(text)
    if (known !== undefined) return known
    if (found.size >= most) found.clear()
    const fresh = find(text)
    found.set(text, fresh)
    return fresh
  }
}
