import { X509Certificate } from 'node:crypto';
import { ms } from '../../lib/model/time/duration.js';
import { selfSignedCertificate } from './certificate.js';
import { rawClient, startRedis } from './redis-server.js';
import { VirtualClock } from './virtual-clock.js';

describe('test support', () => {
  it('gives every test file the shared server', async () => {
    const client = rawClient();
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it('starts a server with a password and an ACL user', async () => {
    const server = await startRedis({ password: 'p', acl: ['user app on >secret ~* &* +@all'] });
    const client = rawClient(`redis://app:secret@127.0.0.1:${server.port}`);
    expect(await client.call('ACL', 'WHOAMI')).toBe('app');
    client.disconnect();
    await server.stop();
  });

  it('makes certificates whose text ends well, whatever their length', () => {
    // One of 48 lengths fills the last line of the text.
    for (let length = 1; length <= 50; length += 1) {
      const { cert } = selfSignedCertificate('h'.repeat(length));
      expect(cert).not.toContain('\n\n');
      expect(new X509Certificate(cert).subject).toBe(`CN=${'h'.repeat(length)}`);
    }
  });

  it('fires timers in order at their instants', async () => {
    const clock = new VirtualClock();
    const fired: [string, number][] = [];
    clock.setTimer(ms(2_000), () => fired.push(['later', clock.monotonic()]));
    clock.setTimer(ms(1_000), () => {
      fired.push(['first', clock.monotonic()]);
      clock.setTimer(ms(500), () => fired.push(['nested', clock.monotonic()]));
    });
    clock.setTimer(ms(1_200), () => fired.push(['never', 0])).cancel();
    await clock.advance('3s');
    expect(fired).toEqual([
      ['first', 1_000],
      ['nested', 1_500],
      ['later', 2_000],
    ]);
    expect(clock.monotonic()).toBe(3_000);
    expect(clock.armedTimers).toBe(0);
  });
});
