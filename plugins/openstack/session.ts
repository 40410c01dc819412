import type { ActionContext, CloudConfig } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { keepSecrets, requestToken, type Token } from './auth.ts'
import type { Served } from './versions.ts'

/** A cloud as one step of a run sees it: the step's own context, over what the whole run shares. */
export interface Session {
  readonly ctx: ActionContext
  readonly shared: Shared
}

/** Kept for the run, once per cloud and region. */
export interface Shared {
  readonly cloud: CloudConfig
  token?: Token
  /** While somebody is asking for a token, the others wait for the same one. */
  asking?: Promise<Token>
  /** What each service has said of its versions, by the address of its version document; null: it would not say. */
  readonly versions: Map<string, Served | null>
}

/** The parameters that every action has. */
export interface CloudChoice {
  readonly cloud?: string
  readonly region?: string
}

/** The session for the cloud that the step names, or the one of the run. Nothing is asked of the cloud yet. */
export async function sessionOf(ctx: ActionContext, params: JsonObject): Promise<Session> {
  const { cloud: name, region } = params as CloudChoice
  const shared = await ctx.keep(`openstack ${name ?? ''} ${region ?? ''}`, async (): Promise<Shared> => {
    const found = await ctx.clouds.get(name)
    const cloud = region === undefined ? found : { ...found, region }
    keepSecrets(ctx, cloud)
    return { cloud, versions: new Map() }
  })
  return { ctx, shared }
}

/** A token that will hold for the next call; asked for when there is none or the old one is about to expire. */
export async function tokenOf(session: Session, signal: AbortSignal): Promise<Token> {
  const { ctx, shared } = session
  for (;;) {
    signal.throwIfAborted()
    if (shared.token && ctx.clock.now() < shared.token.renewAt) return shared.token
    if (shared.asking === undefined) return await askForToken(session, signal)
    const asked = await settled(shared.asking, signal)
    // another step that was cancelled says nothing about this one: ask again
    if ('error' in asked && !isAbort(asked.error)) throw asked.error
  }
}

/** A new token, whatever the old one is worth; `took` in milliseconds. */
export async function renewToken(session: Session, signal: AbortSignal): Promise<Token> {
  const { shared } = session
  if (shared.asking !== undefined) await settled(shared.asking, signal)
  delete shared.token
  return await askForToken(session, signal)
}

/** Forgets a token the cloud has refused, unless it has been replaced meanwhile. */
export function dropToken({ shared }: Session, refused: Token): void {
  if (shared.token === refused) delete shared.token
}

async function askForToken({ ctx, shared }: Session, signal: AbortSignal): Promise<Token> {
  const asking = requestToken(ctx, shared.cloud, signal)
  shared.asking = asking
  try {
    shared.token = await asking
    return shared.token
  } finally {
    if (shared.asking === asking) delete shared.asking
  }
}

async function settled<T>(work: Promise<T>, signal: AbortSignal): Promise<{ value: T } | { error: unknown }> {
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return { value: await Promise.race([work, aborted]) }
  } catch (error) {
    signal.throwIfAborted()
    return { error }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Whatever is no `StepFailure` did not come from the cloud: it is the reason of somebody's signal. */
function isAbort(error: unknown): boolean {
  return !(error instanceof Error && error.name === 'StepFailure')
}
