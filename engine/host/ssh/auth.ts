import { readFile } from 'node:fs/promises'
import type ssh2 from 'ssh2'
import type { AnyAuthMethod, AuthenticationType, BaseAgent, ParsedKey } from 'ssh2'
import { openLocked } from './locked-key.ts'
import type { ConnectionSettings } from './settings.ts'

/** Something only a person, or a secret store, can answer. */
export interface SecretQuestion {
  readonly kind: 'passphrase' | 'password' | 'prompt'
  /** The host as people call it. */
  readonly host: string
  readonly user: string
  /** What to show: for a prompt the server's own words. */
  readonly text: string
  /** Whether the answer may be seen while it is typed. */
  readonly echo: boolean
  /** The key file a passphrase is for. */
  readonly file?: string
}

/** Answers, or declines with undefined. */
export type AskSecret = (question: SecretQuestion, signal: AbortSignal) => Promise<string | undefined>

/** Reads private keys once for all hosts: opening an encrypted one takes more than half a second of work. */
export interface KeyFiles {
  read(path: string, ask: ((text: string) => Promise<string | undefined>) | undefined): Promise<KeyFile>
}

export type KeyFile =
  /** `agent`: who signs with it, when it was locked. */
  | { readonly is: 'key'; readonly key: ParsedKey; readonly agent?: BaseAgent }
  | { readonly is: 'missing' }
  | { readonly is: 'locked' | 'unreadable'; readonly why: string }

type Ssh2 = typeof ssh2

export function keyFiles(library: Ssh2): KeyFiles {
  const { utils } = library
  const known = new Map<string, Promise<KeyFile>>()
  async function open(
    path: string,
    ask: ((text: string) => Promise<string | undefined>) | undefined,
  ): Promise<KeyFile> {
    let text: Buffer
    try {
      text = await readFile(path)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return code === 'ENOENT' ? { is: 'missing' } : { is: 'unreadable', why: message }
    }
    const parsed = utils.parseKey(text)
    let why = parsed instanceof Error ? parsed.message : ''
    for (let tries = 0; /passphrase|encrypted/i.test(why); tries++) {
      const passphrase = tries < 3 ? await ask?.(`passphrase for the key \`${path}\``) : undefined
      if (passphrase === undefined)
        return { is: 'locked', why: tries === 0 ? 'it has a passphrase' : 'its passphrase is another one' }
      const opened = await openLocked(library, text, passphrase)
      if (!(opened instanceof Error)) return { is: 'key', ...opened }
      why = opened.message
    }
    if (why !== '') return { is: 'unreadable', why }
    if (parsed instanceof Error) return { is: 'unreadable', why: parsed.message }
    const [key] = [parsed].flat() as ParsedKey[]
    return key?.isPrivateKey() ? { is: 'key', key } : { is: 'unreadable', why: 'it holds no private key' }
  }
  return {
    read(path, ask) {
      const reading = known.get(path) ?? open(path, ask)
      known.set(path, reading)
      const forget = () => known.delete(path)
      // what was declined or broken once may be mended the next time
      reading.then((file) => file.is !== 'key' && forget(), forget)
      return reading
    },
  }
}

/** One way to prove who we are; `note` is what to call it when none has worked. */
export interface AuthStep {
  readonly method: AnyAuthMethod
  readonly type: AuthenticationType
  readonly note?: string
}

export interface AuthNeeds {
  readonly ssh2: Ssh2
  readonly keys: KeyFiles
  readonly ask: AskSecret | undefined
  /** Whether a person is asked what the server wants to know: not where it has refused a key. */
  readonly mayAsk: () => boolean
  /** Whether the server still takes a method: nobody is asked for what it would not look at. */
  readonly allows: (type: AuthenticationType) => boolean
  /** For what could not be tried. */
  readonly note: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * The ways to prove who we are, in OpenSSH's order: keys of the agent that are named, the agent's others, key files,
 * questions of the server, a password.
 */
export async function* authSteps(settings: ConnectionSettings, needs: AuthNeeds): AsyncGenerator<AuthStep> {
  yield { type: 'none', method: { type: 'none', username: settings.user } }
  if (needs.allows('publickey')) yield* keySteps(settings, needs)
  yield* passwordSteps(settings, needs)
}

async function* keySteps(settings: ConnectionSettings, needs: AuthNeeds): AsyncGenerator<AuthStep> {
  const { user: username } = settings
  const { keys, note, allows } = needs
  const passphraseFor = passphrases(settings, needs)
  const offered = new Set<string>()
  for (const { key, agent } of await agentKeys(settings, needs)) {
    offered.add(fingerprint(key))
    yield {
      type: 'publickey',
      method: { type: 'agent', username, agent },
      note: `key ${key.comment || key.type} of the agent`,
    }
  }
  for (const path of settings.identityFiles) {
    if (!allows('publickey')) return
    const file = await keys.read(path, passphraseFor(path))
    if (file.is === 'locked' || file.is === 'unreadable') note(`key ${path} not used, ${file.why}`)
    // of the usual places most are empty; what the inventory names should be there
    if (file.is === 'missing' && settings.said.identityFiles) note(`key ${path} not used, there is no such file`)
    if (file.is !== 'key' || offered.has(fingerprint(file.key))) continue
    const method: AnyAuthMethod = file.agent
      ? { type: 'agent', username, agent: file.agent }
      : { type: 'publickey', username, key: file.key }
    yield { type: 'publickey', method, note: `key ${path}` }
  }
}

/** The passphrase of the inventory, once; then whoever can be asked. */
function passphrases(
  { name: host, user, passphrase }: ConnectionSettings,
  { ask, note, signal }: AuthNeeds,
): (path: string) => ((text: string) => Promise<string | undefined>) | undefined {
  return (file) => {
    let left = passphrase
    if (!left && !ask) return undefined
    return async (text) => {
      const known = secretOf(left, note)
      left = undefined
      return known ?? ask?.({ kind: 'passphrase', host, user, text, echo: false, file }, signal)
    }
  }
}

/** One that cannot be read is none, and that is told when nothing else lets us in. */
function secretOf(secret: (() => string) | undefined, note: AuthNeeds['note']): string | undefined {
  try {
    return secret?.()
  } catch (error) {
    note(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

async function* passwordSteps(settings: ConnectionSettings, needs: AuthNeeds): AsyncGenerator<AuthStep> {
  const { user: username, name } = settings
  const { allows, note, signal } = needs
  const ask = needs.mayAsk() ? needs.ask : undefined
  const password = secretOf(settings.password, note)
  if (password !== undefined) {
    yield { type: 'password', method: { type: 'password', username, password }, note: 'the password of the inventory' }
  }
  if (password !== undefined || ask) {
    const prompt = promptWith(settings, password, { ask, signal })
    const method: AnyAuthMethod = { type: 'keyboard-interactive', username, prompt }
    yield { type: 'keyboard-interactive', method, note: 'the questions of the server' }
  }
  for (let tries = 0; ask && tries < 3 && allows('password'); tries++) {
    const text = `password of ${username} on ${name}`
    const answer = await ask({ kind: 'password', host: name, user: username, text, echo: false }, signal)
    if (answer === undefined) return
    yield { type: 'password', method: { type: 'password', username, password: answer }, note: 'a password' }
  }
}

/** The keys of the agent to offer, each alone, those of named files first; a key file beside a `.pub` need not be opened. */
async function agentKeys(
  { agent: socket, identityFiles, identitiesOnly }: ConnectionSettings,
  { ssh2, keys, note }: AuthNeeds,
): Promise<{ key: ParsedKey; agent: BaseAgent }[]> {
  if (socket === undefined) return []
  const agent = ssh2.createAgent(socket)
  const held = await new Promise<readonly ParsedKey[]>((resolve) => {
    agent.getIdentities((error, found) => {
      if (error) note(`the agent at ${socket} did not answer`)
      resolve((found ?? []).filter((key): key is ParsedKey => typeof key === 'object' && 'getPublicSSH' in key))
    })
  })
  if (held.length === 0) return []
  const named = new Set(await Promise.all(identityFiles.map((path) => publicPart(path, ssh2, keys))))
  const first = held.filter((key) => named.has(fingerprint(key)))
  const others = identitiesOnly ? [] : held.filter((key) => !named.has(fingerprint(key)))
  return [...first, ...others].map((key) => ({ key, agent: oneKeyAgent(ssh2, agent, key) }))
}

async function publicPart(path: string, { utils }: Ssh2, keys: KeyFiles): Promise<string | undefined> {
  const parsed = utils.parseKey(await readFile(`${path}.pub`).catch(() => ''))
  if (!(parsed instanceof Error)) return fingerprint(parsed)
  const file = await keys.read(path, undefined)
  return file.is === 'key' ? fingerprint(file.key) : undefined
}

/** An agent that shows one of its keys, so that each key is a try of its own. */
function oneKeyAgent({ BaseAgent }: Ssh2, agent: BaseAgent, key: ParsedKey): BaseAgent {
  class OneKeyAgent extends BaseAgent {
    override getIdentities(done: Parameters<BaseAgent['getIdentities']>[0]): void {
      done(undefined, [key])
    }

    override sign(...given: unknown[]): void {
      // the options between data and callback may be left out
      Reflect.apply(agent.sign, agent, given)
    }
  }
  return new OneKeyAgent()
}

type Prompt = Extract<AnyAuthMethod, { type: 'keyboard-interactive' }>['prompt']

/** A server that asks for one hidden thing is given the password, if there is one; a person answers the rest. */
function promptWith(
  settings: ConnectionSettings,
  password: string | undefined,
  { ask, signal }: Pick<AuthNeeds, 'ask' | 'signal'>,
): Prompt {
  let given = false
  return (_name, instructions, _language, prompts, finish) => {
    const answerAll = async (): Promise<string[]> => {
      const answers: string[] = []
      for (const { prompt, echo = false } of prompts) {
        const hidden = prompts.length === 1 && !echo && !given ? password : undefined
        given ||= hidden !== undefined
        const text = [instructions, prompt].filter((line) => line !== '').join('\n')
        answers.push(
          hidden ??
            (await ask?.({ kind: 'prompt', host: settings.name, user: settings.user, text, echo }, signal)) ??
            '',
        )
      }
      return answers
    }
    // a question that fails is answered with nothing: the server refuses, and the next way is tried
    void answerAll().then(finish, () => finish(prompts.map(() => '')))
  }
}

function fingerprint(key: ParsedKey): string {
  return key.getPublicSSH().toString('base64')
}
