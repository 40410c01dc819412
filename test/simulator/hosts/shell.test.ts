import { execFileSync, spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type TestWorld } from './world.ts'

/** Scripts that must end here as they end in a real bash. */
const scripts = [
  `echo "a  b" c; echo 'single $x'; x=1; echo "$x" \${x} '$x'`,
  'x="a b"; printf "<%s>" $x "$x"; echo; set -- 1 "2 3"; printf "<%s>" "$@"; printf "<%s>" $*; echo $#',
  'false || echo or; true && echo and; ! false && echo not; false; echo $?',
  'for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done; i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i',
  'case abc.txt in *.md) echo md;; a*.txt|b) echo txt;; *) echo other;; esac',
  'f() { local a=$1; echo "f $a $#"; return 3; }; f x y; echo $?',
  'echo $(echo nested $(echo deep)) `echo back`; y=$(false); echo $?; z=$(exit 4); echo $?',
  'echo one | cat | tr a-z A-Z; echo "b\na" | sort; printf "b\\na\\n" | sort',
  '(x=2; cd /tmp; echo $x); echo "[$x]"; { echo group; } > /tmp/simulated-shell-test; cat < /tmp/simulated-shell-test; rm /tmp/simulated-shell-test',
  "cat <<EOF\nvalue $((6*7)) $(echo sub)\nEOF\ncat <<'EOF'\nraw $x\nEOF",
  'echo out; echo err >&2; echo both 2>&1; ls /nonexistent 2>/dev/null; echo $?',
  'x=path/to/file.tar.gz; echo ${x##*/} ${x%.*} ${x%%.*} ${x#*/} ${#x} ${y:-def} ${x:5:2} ${x/to/at}',
  'set -e; false; echo never',
  'set -e; if false; then echo a; fi; false || true; echo reached; x=$(false); echo never',
  'set -o pipefail; false | true; echo $?; true | false | true; echo ${PIPESTATUS[@]}',
  'set -u; echo ${unset-ok}; echo $unset; echo never',
  'trap "echo bye" EXIT; echo hi; exit 5',
  'echo a; exec echo b; echo never',
  'sh -c \'echo "$0 $1 $@"\' zero one two; sh -c "exit 7"; echo $?',
  'printf "%05d|%-5s|%5.1f|%x|%s\\n" 42 ab 3.14159 255 end; printf "%s-" a b c; echo',
  'read -r a b <<< "one two three"; echo "$a/$b"; printf "l1\\nl2\\n" | while read -r l; do echo "<$l>"; done',
  '[[ abc == a* && ! -e /nonexistent ]] && echo yes; [[ x =~ ^[a-z]$ ]] && echo regex; [ -d /tmp ] && echo dir',
  'echo {a,b}{1,2} {1..4}; echo "{a,b}"; echo ~root',
  'IFS=:; x=a:b::c; for p in $x; do echo "<$p>"; done',
  'sleep 0 & wait $!; echo $?; (exit 9) & wait $!; echo $?',
  'kill -0 $$ && echo alive; kill -0 999999 2>/dev/null; echo $?',
  'bash -c "kill -TERM \\$\\$; echo never"; echo $?',
  'echo $((1 + 2 * 3 - (4 % 3))) $((5 > 3 ? 10 : 20)) $((0x10)); n=5; ((0)) 2>/dev/null; echo $((n++)) $n',
  "timeout 5 echo in time; env A=1 sh -c 'echo $A'; env -i B=2 sh -c 'echo \"$B$HOME\"'",
  'seq 3 | xargs -n 1 echo item; printf "a b" | xargs -I{} echo "[{}]"',
  "x=1; x=2 sh -c 'echo $x'; echo $x; export x; sh -c 'echo $x'",
  'nosuchcommand 2>/dev/null; echo $?; /no/such/path 2>/dev/null; echo $?',
  'until false; do echo once; break; done; while true; do while true; do break 2; done; done; echo out',
  'f() { echo "$@" | wc -w; }; f a b c | tr -d " "',
  'echo "quote \\" dollar \\$ tick \\` back \\\\"; echo a\\ b; echo "line\\\ncontinued"',
]

/** A bash whose standard input is a socket reads `~/.bashrc`, as below sshd, unless another shell has started it. */
const bashEnv = { PATH: process.env['PATH'] ?? '', HOME: '/root', SHLVL: '1' }

// one world for all of them: what a script makes it removes
let world: TestWorld
beforeAll(async () => {
  world = await startWorld({ controllers: 1, computes: 1, ceph: 1, databases: 1 })
})
afterAll(() => world[Symbol.asyncDispose]())

test.each(scripts.map((script) => ({ script })))('ends as in a real bash: $script', async ({ script }) => {
  const real = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    input: '',
    env: bashEnv,
  })
  const simulated = await world.run('cmp1', script)
  expect({ stdout: simulated.stdout, code: simulated.code }).toEqual({ stdout: real.stdout, code: real.status })
})

test('a script on standard input runs with its arguments', async () => {
  const script = 'echo "$# $1"\ncat <<EOF\ninner\nEOF\nexit 3\n'
  const real = spawnSync('bash', ['-s', '--', 'a b'], { encoding: 'utf8', input: script, env: bashEnv })
  const said = await world.run('cmp1', "bash -s -- 'a b'", { stdin: script })
  expect({ stdout: said.stdout, code: said.code }).toEqual({ stdout: real.stdout, code: real.status })
})

test('a script that cannot be read ends with 2 and says where it stopped', async () => {
  expect(await world.run('cmp1', 'if true; then echo a')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('unexpected end of file'),
  })
})

test('the real bash these answers are compared with is there', () => {
  expect(execFileSync('bash', ['-c', 'echo $BASH_VERSION'], { encoding: 'utf8' })).toMatch(/^[45]\./)
})
