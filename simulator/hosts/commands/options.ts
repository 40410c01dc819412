/** A command line taken apart. */
export interface Options {
  /** By letter or long name, without dashes; `true` for one that takes no value. */
  readonly flags: ReadonlyMap<string, string | true>
  /** Every value of options that may come more than once. */
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly rest: readonly string[]
}

/**
 * Reads options as getopt does: `-abc`, `-o value`, `-ovalue`, `--long=value`, `--long value`, `--`.
 * @param takes names of the options that take a value
 */
export function readOptions(args: readonly string[], takes: readonly string[] = [], { stop = false } = {}): Options {
  const flags = new Map<string, string | true>()
  const values = new Map<string, string[]>()
  const rest: string[] = []
  const queue = [...args]
  const set = (name: string, value: string | true) => {
    flags.set(name, value)
    if (value !== true) values.set(name, [...(values.get(name) ?? []), value])
  }
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') {
      rest.push(...queue)
      break
    }
    if (arg.startsWith('--')) {
      const [, name = '', , value] = /^--([^=]+)(=([\s\S]*))?$/.exec(arg) ?? []
      set(name, value ?? (takes.includes(name) ? (queue.shift() ?? '') : true))
    } else if (/^-./.test(arg)) {
      for (let at = 1; at < arg.length; at += 1) {
        const letter = arg[at] ?? ''
        if (!takes.includes(letter)) {
          set(letter, true)
          continue
        }
        set(letter, at + 1 < arg.length ? arg.slice(at + 1) : (queue.shift() ?? ''))
        break
      }
    } else {
      rest.push(arg)
      if (stop) {
        rest.push(...queue)
        break
      }
    }
  }
  return { flags, values, rest }
}
