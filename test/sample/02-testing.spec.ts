import { Test, type TestingModule } from '@nestjs/testing';
import { AsynqTestingModule, AsynqTestKit } from 'nestjs-asynq/testing';
import { AppModule } from '../../sample/02-testing/src/app.module.js';
import { Backups } from '../../sample/02-testing/src/backups.js';
import { Mailer } from '../../sample/02-testing/src/mails.js';
import { PaymentProvider, Payments } from '../../sample/02-testing/src/payments.js';
import { Signup } from '../../sample/02-testing/src/signup.js';
import { Charge, SendTips, SendWelcome } from '../../sample/02-testing/src/tasks.js';

class Outbox {
  readonly mails: string[] = [];

  send({ to, subject }: { readonly to: string; readonly subject: string }): Promise<void> {
    this.mails.push(`${subject} to ${to}`);
    return Promise.resolve();
  }
}

let app: TestingModule;
let asynq: AsynqTestKit;
let outbox: Outbox;

beforeEach(async () => {
  outbox = new Outbox();
  app = await Test.createTestingModule({
    imports: [AppModule, AsynqTestingModule.forRoot({ now: '2026-03-15T12:00:00Z' })],
  })
    .overrideProvider(Mailer)
    .useValue(outbox)
    .compile();
  await app.init();
  asynq = app.get(AsynqTestKit);
});

afterEach(async () => await app.close());

describe('a sign-up', () => {
  it('sends a welcome at once and tips a day later', async () => {
    await app.get(Signup).register('grace@example.com');
    asynq.expectEnqueued(SendWelcome, { payload: { email: 'grace@example.com' }, queue: 'critical', processIn: 0 });
    asynq.expectEnqueued(SendTips, { processIn: '24h', count: 1 });

    await asynq.drain();
    expect(outbox.mails).toEqual(['Welcome to grace@example.com']);

    await asynq.advance('23h59m');
    expect(outbox.mails).toHaveLength(1);
    await asynq.advance('1m');
    expect(outbox.mails).toEqual(['Welcome to grace@example.com', 'Three tips to grace@example.com']);
  });

  it('greets later when the mail server is down', async () => {
    asynq.failNext(SendWelcome, new Error('connect ECONNREFUSED'), 2);
    await app.get(Signup).register('grace@example.com');

    const runs = await asynq.advance('10m');
    expect(runs.map(({ outcome }) => outcome)).toEqual(['retry', 'retry', 'completed']);
    expect(runs[1]?.at).toEqual(runs[0]?.nextProcessAt);
    expect(outbox.mails).toEqual(['Welcome to grace@example.com']);
  });

  it('sends a welcome twice rather than never when a worker dies', async () => {
    asynq.crash(SendWelcome);
    await app.get(Signup).register('grace@example.com');
    await asynq.advance('1m');
    expect(outbox.mails).toEqual(['Welcome to grace@example.com', 'Welcome to grace@example.com']);
  });
});

describe('a payment', () => {
  it('is started once, however often "pay" is pressed', async () => {
    const payments = app.get(Payments);
    expect(await payments.pay('order-1', 1_999)).toBe('started');
    expect(await payments.pay('order-1', 1_999)).toBe('under way');
    asynq.expectEnqueued(Charge, { payload: { order: 'order-1' }, count: 1 });
    await asynq.drain();
    expect(await payments.pay('order-1', 1_999)).toBe('started');
  });

  it('is archived after its retries, and the app knows', async () => {
    asynq.failNext(Charge, new Error('gateway timeout'), 4);
    await app.get(Payments).pay('order-1', 1_999);

    const runs = await asynq.advance('1h');
    expect(runs.map(({ outcome }) => outcome)).toEqual(['retry', 'retry', 'retry', 'archived']);
    expect(asynq.tasks({ state: 'archived' })).toMatchObject([
      { type: 'payment:charge', lastError: 'gateway timeout' },
    ]);
    expect(app.get(Payments).unpaid).toHaveLength(1);
  });

  it('is not tried again when the card is declined', async () => {
    jest.spyOn(app.get(PaymentProvider), 'charge').mockResolvedValue('declined');
    const outcome = await asynq.run(Charge, { order: 'order-1', cents: 1_999 });
    expect(outcome).toMatchObject({ outcome: 'archived', error: { message: 'The card was declined' } });
  });
});

describe('the backup', () => {
  it('is made every night of a month that has no two o’clock on one of them', async () => {
    await asynq.advance('31d');
    expect(app.get(Backups).made).toBe(30);
  });
});
