/**
 * From a command to what a host is told to run. Words reach the program as they are: every word is quoted on its own,
 * and nothing that a shell would read stands outside the quotes.
 */
import { type Command, type CommandResult, StepFailure } from '../action/contract.ts'

export const defaultMaxOutput = 1024 * 1024

/** Stands among the words where the path of a file that holds the script belongs. */
export const scriptFile = Symbol('the file of the script')

/** What to run: words, and the text of a script that is too long, or whose interpreter takes no text, for a file. */
export interface Invocation {
  readonly words: readonly (string | typeof scriptFile)[]
  readonly staged?: string
}

/** Bytes of a script that may stand among the words: a word has at most 128 KiB on Linux, quotes included. */
const longestInline = 32 * 1024

/** The words of a command; throws `StepFailure` `bad_command` for what no program can be given. */
export function invocationOf({ argv, script, env = {}, cwd }: Command): Invocation {
  refuseNul([...(argv ?? []), ...(script ? [script.text, ...script.interpreter, ...script.args] : []), cwd ?? ''])
  refuseEnv(env)
  if (script) return scriptInvocation(script)
  if (!argv?.[0]) throw new StepFailure('bad_command', 'the command has no words')
  if (argv[0].startsWith('-')) throw new StepFailure('bad_command', `\`${argv[0]}\` is no name of a program`)
  return { words: argv }
}

function scriptInvocation({ text, interpreter, args }: NonNullable<Command['script']>): Invocation {
  if (!interpreter[0])
    throw new StepFailure('bad_command', 'the script has no interpreter', { hint: 'leave it out for `sh`' })
  const inline = Buffer.byteLength(text) <= longestInline ? inlineForm(interpreter) : undefined
  return inline
    ? { words: [...interpreter, ...inline(text), ...args] }
    : { words: [...interpreter, scriptFile, ...args], staged: text }
}

/** How an interpreter takes a text as a word; `sudo -n bash -eu` is known by its `bash`. */
function inlineForm(interpreter: readonly string[]): ((text: string) => string[]) | undefined {
  for (const word of interpreter) {
    const name = word.slice(word.lastIndexOf('/') + 1)
    if (/^(?:ba|da|k|z|a|mk)?sh$/.test(name)) return (text) => ['-c', text, 'script']
    if (/^python[\d.]*$/.test(name)) return (text) => ['-c', text]
    if (/^(?:perl|ruby|node)$/.test(name)) return (text) => ['-e', text, '--']
  }
  return undefined
}

function refuseNul(words: readonly string[]): void {
  if (words.some((word) => word.includes('\0'))) {
    throw new StepFailure('bad_command', 'a NUL character stands in the command, and no program can be given one')
  }
}

function refuseEnv(env: { readonly [name: string]: string }): void {
  for (const [name, value] of Object.entries(env)) {
    if (!/^[^=\0-][^=\0]*$/.test(name))
      throw new StepFailure('bad_command', `\`${name}\` is no name of an environment variable`)
    refuseNul([value])
  }
}

/** A word as a POSIX shell reads it back: itself, whatever is in it. */
export function quoteWord(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** For people and the transcript: the words, quoted where they need it; a script as its text. Without the environment. */
export function showCommand({ argv, script }: Pick<Command, 'argv' | 'script'>): string {
  if (script)
    return [...script.interpreter, ...script.args].map(showWord).join(' ').concat(' <<< ', script.text.trimEnd())
  return (argv ?? []).map(showWord).join(' ')
}

function showWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : quoteWord(word)
}

/** What the transcript is told of a result. */
export function seenOf(
  { secretOutput }: Command,
  { exitCode, stdout, stderr, took }: CommandResult,
): { exitCode: number | null; took: number; stdout?: string; stderr?: string } {
  return { exitCode, took, ...(!secretOutput && { stdout, stderr }) }
}

/** What a remote command is: the text for the host's shell, and its standard input. */
export interface RemoteCommand {
  readonly text: string
  readonly stdin: string
}

/**
 * The text which a remote shell is given. It becomes the leader of a process group of its own, says so in a line
 * `MARK PID` on stderr, changes folder and becomes the program; so the group can be ended from a second channel, which
 * closing the first does not do. sshd makes a command the leader of a session; where something stands between, `setsid`
 * does. The environment stands before the program: servers drop what a client sends as such, silently.
 */
export function remoteCommand(command: Command, mark: string): RemoteCommand {
  const { words, stdin } = grouped(command, mark)
  return { text: `exec ${words.map(quoteWord).join(' ')}`, stdin }
}

/** How another user is become, and whether there is a password to give when one is asked for. */
export interface Becoming {
  readonly user: string
  readonly method: 'sudo' | 'su'
  readonly password: boolean
}

/** What `sudo` asks for a password with. */
export const promptFor = (mark: string): string => `${mark} password: `

/** The word that lets a command begin which waits for it. */
export const go = 'go\n'

/**
 * The same as another user. The group, and the line that tells it, are those of the new user's process. The command
 * begins only when it has read the word `go`: until then nothing has happened, and what stands on its input, a password
 * among it, was never within its reach.
 */
export function becomingCommand(command: Command, mark: string, becoming: Becoming): RemoteCommand {
  const { words, stdin } = grouped(command, mark, waiting)
  return { text: `exec ${[...becomeWords(becoming, mark), ...words].map(quoteWord).join(' ')}`, stdin }
}

function becomeWords({ user, method, password }: Becoming, mark: string): string[] {
  if (method === 'su') return ['sh', '-c', su, 'sh', user]
  return ['sudo', ...(password ? ['-S', '-p', promptFor(mark)] : ['-n']), '-H', '-u', user, '--']
}

// what `su` asks is known by its language; the language of the command is what it was. `su` keeps the `PATH` of whoever calls
const su = `l=\${LC_ALL-} u=$1; shift; LC_ALL=C exec su -s /bin/sh -c 'if [ -n "$1" ]; then LC_ALL=$1; else unset LC_ALL; fi
if [ "$(id -u)" = 0 ]; then case :$PATH: in *:/usr/sbin:*) ;; *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH;; esac; fi
shift; exec "$@"' -- "$u" sh "$l" "$@"`

const waiting = 'IFS= read -r w && [ "$w" = go ] || exit 125; '

/** Words that run a command in a group of its own, which tells its number; `first` is done before anything else. */
function grouped(command: Command, mark: string, first = ''): { words: string[]; stdin: string } {
  const { words, staged } = invocationOf(command)
  const settings = Object.entries(command.env ?? {}).map(([name, value]) => `${name}=${value}`)
  refuseSettingAsProgram(settings, words[0])
  const program = [...(settings.length > 0 ? ['env', ...settings] : []), ...words]
  const stdin = (staged ?? '') + (command.stdin ?? '')
  const folder = folderWord(command.cwd)
  const given =
    staged === undefined
      ? [begin + first + inner, 'sh', mark, folder, ...program]
      : [
          begin + first + innerStaged,
          'sh',
          mark,
          folder,
          `${Buffer.byteLength(staged)}`,
          `${program.indexOf(scriptFile) + 1}`,
          ...program,
        ]
  return { words: ['sh', '-c', outer, 'sh', ...given.map((word) => (word === scriptFile ? '' : word))], stdin }
}

/** The words alone: for accounts that may run nothing else. Such a command cannot be ended from here. */
export function bareCommand(command: Command, become: unknown): RemoteCommand {
  if (become) throw new StepFailure('bad_command', 'a host with `bare` commands takes words alone: no `become`')
  const { words, staged } = invocationOf(command)
  if (staged !== undefined || command.cwd !== undefined || Object.keys(command.env ?? {}).length > 0) {
    throw new StepFailure(
      'bad_command',
      'a host with `bare` commands takes words alone: no `env`, no `directory`, no long script',
    )
  }
  return { text: words.map((word) => showWord(String(word))).join(' '), stdin: command.stdin ?? '' }
}

// `kill -0 -$$` succeeds for the leader of a group only
const outer =
  'if kill -0 -$$ 2>/dev/null || ! command -v setsid >/dev/null 2>&1; then exec sh -c "$@"; else exec setsid sh -c "$@"; fi'

const begin = 'echo "$1 $$" >&2; '

const enter = 'if [ -n "$2" ]; then cd -- "$2" || exit 126; fi; shift 2'

const inner = `${enter}; exec "$@"`

// the script comes first on stdin; the shell stays, to remove the file
const innerStaged = `${enter}; n=$1 k=$2 i=0; shift 2; umask 077; f=$(mktemp) || exit 126
trap 'rm -f "$f"' EXIT; trap 'exit 143' HUP INT TERM
head -c "$n" >"$f" || exit 126
for a in "$@"; do shift; i=$((i+1)); if [ "$i" -eq "$k" ]; then a=$f; fi; set -- "$@" "$a"; done
"$@"; exit $?`

/** `cd -` would go back, not into a folder of that name. */
function folderWord(cwd: string | undefined): string {
  return cwd?.startsWith('-') ? `./${cwd}` : (cwd ?? '')
}

function refuseSettingAsProgram(settings: readonly string[], program: string | symbol | undefined): void {
  if (settings.length > 0 && typeof program === 'string' && program.includes('=')) {
    throw new StepFailure('bad_command', `\`${program}\` would be read as a setting, not as a program`)
  }
}

/**
 * Ends a process group: asks with TERM, waits `grace` seconds, insists with KILL. Exits 0 when nothing of it is left.
 * What belongs to root, because of `sudo` in the command, takes `sudo` again; what is only a zombie is gone.
 */
export function killCommand(group: number, grace: number): Command {
  const text = `export LC_ALL=C; p=$1 n=0
send() { m=$(kill "-$1" "-$p" 2>&1) || case $m in *ermitted*) sudo -n kill "-$1" -- "-$p" 2>/dev/null || true;; *) return 1;; esac; }
left() { send 0 || return 1; if [ -n "$m" ]; then return 0; fi
  all=$(ps -A -o pgid= -o stat= 2>/dev/null) && [ -n "$all" ] || return 0
  echo "$all" | grep -q "^ *$p  *[^Z ]"; }
send TERM || kill -TERM "$p" 2>/dev/null
while left; do
  n=$((n+1)); if [ "$n" -gt "$2" ]; then send KILL; fi
  if [ "$n" -gt "$3" ]; then exit 1; fi
  sleep 0.1 2>/dev/null || { sleep 1; n=$((n+9)); }
done
exit 0`
  return {
    script: { text, interpreter: ['sh'], args: [`${group}`, `${grace * 10}`, `${grace * 10 + 50}`] },
  }
}
