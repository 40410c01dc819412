import { dirname, join } from 'node:path'
import { isFile } from '../host/files.ts'

const fileName = 'runbook.config.yaml'

/** The file of the configuration: the first one from a folder upwards. */
export function configPath(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, fileName)
    if (isFile(path)) return path
    if (dirname(folder) === folder) return undefined
  }
}
