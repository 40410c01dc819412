import { dirname, join } from 'node:path'
import { isFile, readBytes } from '../host/files.ts'
import type { Json } from '../json.ts'
import { isObject } from '../json.ts'

/**
 * The file that a package stands for, looked for from a folder upwards as Node does: what a program imports by itself is looked
 * for from where the program is, and a plugin is beside the configuration that names it.
 */
export function packageEntry(name: string, folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const home = join(at, 'node_modules', name)
    const manifest = join(home, 'package.json')
    if (isFile(manifest)) return join(home, entryOf(manifest))
    if (dirname(at) === at) return undefined
  }
}

function entryOf(manifest: string): string {
  const read = readBytes(manifest)
  const { exports, main } = ('bytes' in read ? parsed(new TextDecoder().decode(read.bytes)) : {}) as {
    readonly [word: string]: Json | undefined
  }
  const root = isObject(exports) && exports['.'] !== undefined ? exports['.'] : exports
  return chosen(root) ?? (typeof main === 'string' ? main : 'index.js')
}

/** The first of the conditions that hold for what is imported in Node. */
function chosen(target: Json | undefined): string | undefined {
  if (typeof target === 'string') return target
  if (!isObject(target)) return undefined
  for (const [condition, inner] of Object.entries(target)) {
    const found = ['import', 'node', 'module-sync', 'default'].includes(condition) ? chosen(inner) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function parsed(text: string): Json {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
