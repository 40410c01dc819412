import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that start programs and wait for them are begun first: begun last, one of them would keep everybody waiting. */
const waits = /\/test\/(?:program|engine\/journal)\//

export class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [true, false].flatMap((first) => sorted.filter(({ moduleId }) => waits.test(moduleId) === first))
  }
}
