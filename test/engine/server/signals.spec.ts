import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('AsynqServer.run', () => {
  let test: ServerUnderTest;
  let child: ChildProcess | undefined;
  let output = '';

  beforeEach(() => {
    test = ServerUnderTest.open();
    output = '';
  });

  afterEach(async () => {
    child?.kill('SIGKILL');
    await test.close();
  });

  const start = async (handling: 'ends' | 'never-ends', url = test.url): Promise<ChildProcess> => {
    const loader = join(__dirname, '../../interop/support/run-typescript.cjs');
    const script = join(__dirname, 'run-until-signal.ts');
    child = spawn(process.execPath, [loader, script, url, test.queue, handling]);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (output += text.toString()));
    await said(url === test.url ? 'Server started' : 'still trying');
    return child;
  };

  const said = async (text: string): Promise<void> => {
    await until(`the process says "${text}", not ${output}`, () => output.includes(text), { within: '20s' });
  };

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'S-23 returns after %s, and nothing keeps the process alive',
    async (signal) => {
      const worker = await start('ends');
      await test.enqueue();
      await said('a task began');
      worker.kill(signal);
      const [code] = (await once(worker, 'close')) as [number];
      expect(code).toBe(0);
      expect(output).toContain('run has returned');
    },
  );

  it('returns after SIGTERM while it waits for Redis', async () => {
    const worker = await start('ends', 'redis://127.0.0.1:1');
    worker.kill('SIGTERM');
    const [code] = (await once(worker, 'close')) as [number];
    expect(code).toBe(0);
    expect(output).toContain('run has returned');
    expect(output).not.toMatch(/^\s+at /m);
  });

  it('S-24 only stops fetching on SIGTSTP', async () => {
    const worker = await start('ends');
    await test.enqueue();
    await said('a task began');
    worker.kill('SIGTSTP');
    await said('Stopped fetching');
    const id = await test.enqueue();
    worker.kill('SIGTSTP');
    worker.kill('SIGTERM');
    await once(worker, 'close');
    expect(await test.stateOf(id)).toBe('pending');
    expect(output.split('a task began')).toHaveLength(2);
  });

  it('treats two simultaneous interrupts as one, since npm passes on the Ctrl-C of the terminal', async () => {
    const worker = await start('never-ends');
    await test.enqueue();
    await said('a task began');
    worker.kill('SIGINT');
    await said('Shutting down');
    worker.kill('SIGINT');
    worker.kill('SIGTERM');
    const [code] = (await once(worker, 'close')) as [number];
    // By the SIGTERM: the second interrupt would have ended it with 130.
    expect(code).toBe(143);
  });

  it('D-S20 ends at once on a second signal', async () => {
    const worker = await start('never-ends');
    await test.enqueue();
    await said('a task began');
    worker.kill('SIGTERM');
    await said('Shutting down');
    worker.kill('SIGTERM');
    const [code] = (await once(worker, 'close')) as [number];
    expect(code).toBe(143);
    expect(output).not.toContain('run has returned');
  });
});
