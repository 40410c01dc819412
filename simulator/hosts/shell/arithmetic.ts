import { type Shell, ShellProblem, setVariable } from './state.ts'

const binding: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
}

/** The value of `$((…))`, in whole numbers. @throws ShellProblem */
export function arithmetic(shell: Shell, text: string): number {
  const tokens =
    text.match(/0x[\da-fA-F]+|\d+|[A-Za-z_]\w*|\+\+|--|[-+*/%]=|<<|>>|[<>=!]=|&&|\|\||[-+*/%<>=!&|^~()?:]|\S/g) ?? []
  let at = 0
  const problem = () => new ShellProblem(`${text}: syntax error: operand expected`)
  const variable = (name: string): number => Number(shell.variables.get(name) || 0) || 0

  function primary(): number {
    const token = tokens[at]
    at += 1
    if (token === undefined) throw problem()
    if (token === '(') {
      const value = ternary()
      if (tokens[at] !== ')') throw problem()
      at += 1
      return value
    }
    if (token === '-') return -primary()
    if (token === '+') return primary()
    if (token === '!') return primary() === 0 ? 1 : 0
    if (token === '~') return ~primary()
    if (/^(0x|\d)/.test(token)) return /^0\d/.test(token) ? Number.parseInt(token, 8) : Number(token)
    if (!/^[A-Za-z_]/.test(token)) throw problem()
    const next = tokens[at]
    if (next === '++' || next === '--') {
      at += 1
      setVariable(shell, token, String(variable(token) + (next === '++' ? 1 : -1)))
      return variable(token) - (next === '++' ? 1 : -1)
    }
    if (next === '=' || /^[-+*/%]=$/.test(next ?? '')) {
      at += 1
      const right = ternary()
      const value = next === '=' ? right : apply(next?.[0] ?? '', variable(token), right)
      setVariable(shell, token, String(value))
      return value
    }
    return variable(token)
  }

  function binary(least: number): number {
    let left = primary()
    for (;;) {
      const op = tokens[at] ?? ''
      const strength = binding[op]
      if (strength === undefined || strength < least) return left
      at += 1
      left = apply(op, left, binary(strength + 1))
    }
  }

  function ternary(): number {
    const test = binary(1)
    if (tokens[at] !== '?') return test
    at += 1
    const yes = ternary()
    if (tokens[at] !== ':') throw problem()
    at += 1
    const no = ternary()
    return test === 0 ? no : yes
  }

  if (tokens.length === 0) return 0
  const value = ternary()
  if (at < tokens.length) throw problem()
  return value
}

function apply(op: string, left: number, right: number): number {
  if ((op === '/' || op === '%') && right === 0) throw new ShellProblem('division by 0')
  switch (op) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return Math.trunc(left / right)
    case '%':
      return left % right
    case '<<':
      return left << right
    case '>>':
      return left >> right
    case '&':
      return left & right
    case '|':
      return left | right
    case '^':
      return left ^ right
    case '&&':
      return left !== 0 && right !== 0 ? 1 : 0
    case '||':
      return left !== 0 || right !== 0 ? 1 : 0
    case '==':
      return left === right ? 1 : 0
    case '!=':
      return left !== right ? 1 : 0
    case '<':
      return left < right ? 1 : 0
    case '<=':
      return left <= right ? 1 : 0
    case '>':
      return left > right ? 1 : 0
    default:
      return left >= right ? 1 : 0
  }
}
