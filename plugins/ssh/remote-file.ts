/** A file of a host, looked at and replaced: what `ssh.file`, `ssh.put` and their kind share. */
import { createHash } from 'node:crypto'
import { type ActionContext, type CommandResult, StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { hostOf, lastWord, shell } from './host.ts'

/** Bytes of the largest file that goes through a run. */
export const largestFile = 32 * 1024 * 1024

export type Found =
  | { readonly is: 'absent' }
  | {
      readonly is: 'file'
      readonly mode: string
      readonly owner: string
      readonly group: string
      readonly size: number
      readonly digest: string
    }

export interface Look {
  readonly found: Found
  /** Where it is, links followed. */
  readonly path: string
  /** The digest of what this step has kept before, if it has. */
  readonly kept: string | undefined
  /** When it was asked for, and is not too large. */
  readonly content: Uint8Array | undefined
}

export const digestOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** Where the previous content goes: beside the file, hidden, under a name of the step that a second try finds again. */
export function backupOf(ctx: ActionContext, path: string): string {
  const slash = path.lastIndexOf('/')
  return `${path.slice(0, slash)}/.${path.slice(slash + 1)}.${markOf(ctx)}~`
}

/** A name for a step of a run, the same in each of its tries. */
export const markOf = ({ step }: ActionContext): string => digestOf(`${step.run} ${keyOf(step.key)}`).slice(0, 12)

/** The key of a step, whichever of its tries it is, and when it is only looked at. */
const keyOf = (key: string): string => key.replace(/!(?:settled|plan)$/, '').replace(/~\d+$/, '')

/** Throws `StepFailure` for what is no file; `no_access` where nobody can tell whether it is there. */
export async function look(
  ctx: ActionContext,
  params: JsonObject,
  { content }: { readonly content: boolean },
  signal: AbortSignal,
): Promise<Look> {
  const path = params['path'] as string
  const follow = params['follow'] === true
  const args = [path, follow ? 'yes' : 'no', content ? String(largestFile) : '-1', markOf(ctx)]
  const options = { args, maxOutput: largestFile * 1.5, secretOutput: true }
  const said = await shell(ctx, params, lookScript, options, signal)
  const where = `\`${path}\` on \`${hostOf(params)}\``
  if (said.exitCode !== 0) throw new StepFailure('no_access', `cannot look at ${where}: ${lastWord(said)}`)
  const [what = '', real = '', kept = '', encoded = ''] = said.stdout.split('\n')
  const [kind, ...words] = what.split(' ')
  if (kind === 'link') {
    throw new StepFailure('is_link', `${where} is a link to \`${words.join(' ')}\``, {
      hint: 'name the file itself, or say `follow: true`',
    })
  }
  if (kind === 'other') throw new StepFailure('no_file', `${where} is no file but a ${words.join(' ')}`)
  const [mode = '', owner = '', group = '', size = '', digest = ''] = words
  const found: Found =
    kind === 'absent'
      ? { is: 'absent' }
      : { is: 'file', mode: mode.padStart(4, '0'), owner, group, size: Number(size), digest }
  const bytes = encoded === '-' ? undefined : new Uint8Array(Buffer.from(encoded, 'base64'))
  if (bytes && found.is === 'file' && digestOf(bytes) !== found.digest) {
    throw new StepFailure('not_whole', `${where} was not read whole: it changed meanwhile, or its end is missing`)
  }
  return { found, path: real, kept: kept === '-' ? undefined : kept, content: bytes }
}

// what may not be looked into is not said to be absent
const lookScript = `export LC_ALL=C; p=$1
if [ -L "$p" ]; then
  if [ "$2" != yes ]; then echo "link $(readlink -- "$p")"; exit 0; fi
  p=$(readlink -f -- "$p") || exit 77
fi
k=\${p%/*}/.\${p##*/}.$4~
kept=-; if [ -f "$k" ]; then kept=$(sha256sum <"$k") || exit 77; kept=\${kept%% *}; fi
kind=$(stat -c %F -- "$p" 2>&1) || case $kind in
  *'No such file'*) printf 'absent\\n%s\\n%s\\n-\\n' "$p" "$kept"; exit 0;;
  *) echo "$kind" >&2; exit 77;;
esac
if [ ! -f "$p" ]; then echo "other $kind"; exit 0; fi
facts=$(stat -c '%a %U %G %s' -- "$p") || exit 77
sum=$(sha256sum <"$p") || exit 77
printf 'file %s %s\\n%s\\n%s\\n' "$facts" "\${sum%% *}" "$p" "$kept"
if [ "\${facts##* }" -le "$3" ]; then base64 -w0 <"$p"; echo; else echo -; fi`

export interface Wanted {
  readonly bytes: Uint8Array
  readonly mode: string
  readonly owner: string
  readonly group: string
  /** Where the previous content goes; nowhere when empty. */
  readonly backup: string
}

/** Replaces a file by a whole new one in one move; nothing has changed when it throws, but for `unknown`. */
export async function replace(
  ctx: ActionContext,
  params: JsonObject,
  { path, found }: Look,
  { bytes, mode, owner, group, backup }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const args = [path, was(found), digestOf(bytes), mode, owner, group, backup]
  const stdin = Buffer.from(bytes).toString('base64')
  judge(params, await shell(ctx, params, shared + replaceScript, { args, stdin }, signal))
}

/** Owner and mode alone. */
export async function reown(
  ctx: ActionContext,
  params: JsonObject,
  { path, found }: Look,
  { mode, owner, group }: Pick<Wanted, 'mode' | 'owner' | 'group'>,
  signal: AbortSignal,
): Promise<void> {
  const args = [path, was(found), '', mode, owner, group]
  judge(params, await shell(ctx, params, `${shared}same; own "$p"`, { args }, signal))
}

const was = (found: Found): string => (found.is === 'file' ? found.digest : 'absent')

const shared = `set -u; export LC_ALL=C; umask 077
p=$1 was=$2 want=$3 mode=$4 owner=$5 group=$6 backup=\${7-}
d=\${p%/*}; [ -n "$d" ] || d=/
fail() { echo "$2" >&2; exit "$1"; }
sum() { s=$(sha256sum <"$1") || exit 77; echo "\${s%% *}"; }
now() { if [ -e "$p" ] || [ -L "$p" ]; then sum "$p"; else echo absent; fi; }
same() { [ "$(now)" = "$was" ] || fail 75 "it is no longer what it was when it was looked at"; }
own() {
  if [ -n "$owner$group" ]; then chown -- "$owner\${group:+:$group}" "$1" || exit 77; fi
  if [ -n "$mode" ]; then chmod -- "$mode" "$1" || exit 77; fi
}
`

const replaceScript = `[ -d "$d" ] || fail 73 "the folder $d is not there"
t=$(mktemp "$d/.runbook.XXXXXXXXXX") || exit 73
trap 'rm -f -- "$t"' EXIT; trap 'exit 143' HUP INT TERM
base64 -d >"$t" || fail 74 "the content did not arrive, or there is no room for it"
[ "$(sum "$t")" = "$want" ] || fail 74 "the content did not arrive whole"
if [ -e "$p" ]; then
  o=$(stat -c %U:%G -- "$p") m=$(stat -c %a -- "$p") || exit 77
  [ "$(stat -c %U:%G -- "$t")" = "$o" ] || chown -- "$o" "$t" || exit 77
  chmod -- "$m" "$t" || exit 77
else chmod 644 "$t" || exit 77; fi
own "$t"
sync "$t" || fail 74 "the content is not on the disk"
same
if [ -n "$backup" ] && [ -e "$p" ]; then cp -p -- "$p" "$backup" && sync "$backup" || exit 77; fi
mv -f -T -- "$t" "$p" || exit 77
sync "$d" || true`

/** What is done with a file and the place of its backup, `backup`; empty is none. */
const withBackup =
  (script: string) =>
  async (ctx: ActionContext, params: JsonObject, { path, found }: Look, backup: string, signal: AbortSignal) => {
    const args = [path, was(found), '', '', '', '', backup]
    judge(params, await shell(ctx, params, shared + script, { args }, signal))
  }

export const remove = withBackup(`same
if [ -n "$backup" ]; then mv -f -T -- "$p" "$backup"; else rm -f -- "$p"; fi || exit 77
sync "$d" || true`)

/** Puts a kept file back to where it was. */
export const putBack = withBackup(`[ -f "$backup" ] || fail 72 "there is no $backup to put back"
same
mv -f -T -- "$backup" "$p" || exit 77
sync "$d" || true`)

const codes: { readonly [exitCode: number]: string } = {
  72: 'no_backup',
  73: 'no_folder',
  74: 'not_whole',
  75: 'changed_meanwhile',
  77: 'no_access',
}

function judge(params: JsonObject, said: CommandResult): void {
  const { exitCode } = said
  if (exitCode === 0) return
  const where = `\`${params['path'] as string}\` on \`${hostOf(params)}\``
  throw new StepFailure(codes[exitCode ?? -1] ?? 'not_written', `${where} is as it was: ${lastWord(said)}`, {
    detail: { exit_code: exitCode },
    ...(/ermi(ssion|tted)/.test(lastWord(said)) && { hint: '`become: true` does it as root' }),
  })
}
