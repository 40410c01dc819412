/** As Python prints a value: the real texts hold it so. */
export function python(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, one]) => `'${key}': ${python(one)}`)
      .join(', ')}}`
  }
  return String(value)
}
