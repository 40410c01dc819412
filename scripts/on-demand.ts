/**
 * Packages that most commands do without are files of their own in the built program, read when one of their names is
 * used for the first time: to read a package costs as much time as to check a small runbook. The code imports them like
 * every other; only the bundle knows. They are CommonJS, which alone can be loaded in the middle of what does not wait.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BuildOptions, Plugin } from 'esbuild'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)

/** Bundles the packages into a folder. Gives the files that they are made of, and what makes imports of them wait. */
export async function onDemand(
  names: readonly string[],
  folder: string,
  options: BuildOptions,
): Promise<{ readonly plugin: Plugin; readonly inputs: readonly string[] }> {
  const fileOf = (name: string) => `${name.replaceAll(/\W+/g, '-').replace(/^-/, '')}.cjs`
  const { metafile } = await build({
    ...options,
    entryPoints: names.map((name) => ({ in: name, out: fileOf(name).replace(/\.cjs$/, '') })),
    outdir: join(folder, 'packages'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    metafile: true,
  })
  const plugin: Plugin = {
    name: 'on-demand',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[^.]/ }, ({ path, importer }) =>
        names.includes(path) && !importer.includes('node_modules')
          ? { path, namespace: 'on-demand', suffix: importer.includes('simulator') ? '?simulator' : '' }
          : undefined,
      )
      onLoad({ filter: /./, namespace: 'on-demand' }, ({ path }) => ({ contents: standIn(path, fileOf(path)) }))
    },
  }
  return { plugin, inputs: Object.keys(metafile.inputs) }
}

/** A module with the names of a package. It stands in the program or in one of its chunks, which are a folder deeper. */
function standIn(name: string, file: string): string {
  const exported = Object.keys(require(name) as object).filter((each) => each !== '__esModule')
  return `
    let whole
    const load = () => (whole ??= require(__dirname.replace(/[/\\\\]chunks$/, '') + ${JSON.stringify(`/packages/${file}`)}))
    module.exports = { __esModule: true, ${exported.map((each) => `get ${each}() { return load().${each} }`).join(', ')} }`
}
