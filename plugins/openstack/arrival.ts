import type { ActionContext } from '../../engine/action/contract.ts'

/** How long what was asked for may be on its way into what the cloud shows: whoever asked may have stopped waiting just now. */
const arrival = 5_000

/** What a look finds; where it finds nothing it is made once more, a while later. */
export async function arrived<T>(
  { clock }: ActionContext,
  signal: AbortSignal,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = await look()
  if (found !== undefined) return found
  await clock.sleep(arrival, signal)
  return await look()
}
