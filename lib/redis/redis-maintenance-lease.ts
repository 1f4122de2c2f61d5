import type { MaintenanceContract, MaintenanceLease } from '../model/broker/maintenance.contract.js';
import { ms } from '../model/time/duration.js';
import { numberReply } from './connection/reply.js';
import { queueKeys } from './keys.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Takes, renews or releases the maintenance lease of a queue. */
export const leaseMaintenanceScript = defineScript({
  file: 'lease-maintenance.lua',
  keys: ['maintenance'],
  args: ['owner', 'now', 'length'],
  replies: [],
});

/** Maintenance leases of queues. */
export class RedisMaintenanceLease {
  constructor(private readonly runner: ScriptRunner) {}

  /** {@link MaintenanceContract.leaseMaintenance} */
  async lease(request: Parameters<MaintenanceContract['leaseMaintenance']>[0]): Promise<MaintenanceLease> {
    const { queue, owner, now, length } = request;
    const args = [owner, Math.floor(now), length];
    const heldFor = numberReply(await this.runner.run(leaseMaintenanceScript, [queueKeys(queue).maintenance], args));
    return heldFor === 0 ? { kind: 'held' } : { kind: 'taken', heldFor: ms(heldFor) };
  }

  /** {@link MaintenanceContract.releaseMaintenance} */
  async release({ queue, owner }: Parameters<MaintenanceContract['releaseMaintenance']>[0]): Promise<void> {
    await this.runner.run(leaseMaintenanceScript, [queueKeys(queue).maintenance], [owner, 0, 0]);
  }
}
