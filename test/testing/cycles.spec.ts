import { appWith, Scripted } from './app-under-test.js';

/** What keeps a process alive, or grows with every application that is not cleaned up. */
function leftovers(): number {
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return listeners + process.getActiveResourcesInfo().filter(isOurs).length;
}

// The test runner keeps pipes of its own, and the loop that counts is an immediate.
function isOurs(resource: string): boolean {
  return resource === 'Timeout' || resource.endsWith('SocketWrap') || resource === 'MessagePort';
}

async function cycle(): Promise<void> {
  const { kit, client, close } = await appWith([Scripted]);
  await client.enqueue('note', {});
  await client.enqueue('fail', {});
  await kit.advance('1m');
  await close();
}

it('leaves no listener, timer or socket behind, however many applications come and go', async () => {
  await cycle();
  const before = leftovers();
  for (let round = 0; round < 50; round += 1) await cycle();
  // A timer of the test runner may end meanwhile; one of ours would be there fifty times.
  expect(leftovers()).toBeLessThanOrEqual(before);
});
