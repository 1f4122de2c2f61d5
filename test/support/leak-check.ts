import { until } from './until.js';

/**
 * Looks at what keeps the process alive: sockets, timers, child processes. Take it before, ask it after.
 *
 * @example
 * const leaks = watchLeaks();
 * await somethingThatOpensAndCloses();
 * await leaks.expectNone();
 */
export function watchLeaks(): { expectNone(): Promise<void> } {
  const before = countResources();
  return {
    expectNone: async () => {
      // Closing a socket takes the operating system a moment.
      await until('nothing is left open', () => {
        const left = [...countResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0));
        if (left.length === 0) return true;
        throw new Error(left.map(([kind, count]) => `${count - (before.get(kind) ?? 0)} more ${kind}`).join(', '));
      });
    },
  };
}

// The poll of `until` has a timer, the test runner its own requests.
const ignored = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise', 'CloseReq']);

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!ignored.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
