import type { PeriodicTask, PeriodicTaskProvider } from '../../engine/scheduler/periodic-tasks.js';
import type { PeriodicTasksDefinition } from '../discovery/periodic-tasks.explorer.js';
import { isMadePerTask, makeHost, type MadeHost } from './per-task-host.js';

/** The provider that asks a method; a host that is request-scoped is made anew each time. */
export function periodicTaskProvider({ host, method }: PeriodicTasksDefinition): PeriodicTaskProvider {
  return {
    getTasks: async () => {
      const instance = isMadePerTask(host)
        ? (await makeHost(host, {})).instance
        : (host.instance as MadeHost['instance']);
      return (await instance[method]?.()) as readonly PeriodicTask[];
    },
  };
}
