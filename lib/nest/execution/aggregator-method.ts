import type { GroupAggregator, TaskToEnqueue } from '../../engine/maintenance/task-group.js';
import type { AggregatorDefinition } from '../discovery/aggregator.explorer.js';
import { isMadePerTask, type MadeHost, makeHost } from './per-task-host.js';

/** The function that runs the method for a group. */
export function bindAggregator({ host, method }: AggregatorDefinition): GroupAggregator {
  if (!isMadePerTask(host)) {
    const instance = host.instance as MadeHost['instance'];
    return async (group) => (await instance[method]?.(group)) as TaskToEnqueue;
  }
  return async (group) => {
    const { instance } = await makeHost(host, group);
    return (await instance[method]?.(group)) as TaskToEnqueue;
  };
}
