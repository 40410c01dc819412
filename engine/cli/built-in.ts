import { actions as assertActions } from '../../plugins/assert/index.ts'
import { actions as humanActions } from '../../plugins/human/index.ts'
import { actions as inventoryActions } from '../../plugins/inventory/index.ts'
import { actions as localActions } from '../../plugins/local/index.ts'
import { actions as openstackActions } from '../../plugins/openstack/index.ts'
import { actions as sshActions } from '../../plugins/ssh/index.ts'
import { actions as systemdActions } from '../../plugins/systemd/index.ts'
import type { Action } from '../action/contract.ts'

/** The actions that ship. */
export const builtIn: readonly Action[] = [
  ...openstackActions,
  ...sshActions,
  ...systemdActions,
  ...localActions,
  ...assertActions,
  ...humanActions,
  ...inventoryActions,
]
