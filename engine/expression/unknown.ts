/**
 * A value that a dry run cannot know yet, because a step that was not done would have produced it.
 * It stands inside otherwise plain JSON; in the transcript it is `{"$unknown": why}`.
 */
export class Unknown {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
  toJSON(): { $unknown: string } {
    return { $unknown: this.why }
  }
}

/** The first unknown inside a value, at any depth. */
export function unknownIn(value: unknown): Unknown | undefined {
  if (value instanceof Unknown) return value
  if (typeof value !== 'object' || value === null) return undefined
  for (const part of Object.values(value)) {
    const found = unknownIn(part)
    if (found) return found
  }
  return undefined
}
