import { Injectable, Module } from '@nestjs/common';
import { AsynqClient, AsynqModule, InjectClient } from '../../lib/index.js';
import { sharedRedisUrl } from '../support/redis-server.js';
import { aQueue, cleanUp, options, startApp } from './support.js';

afterEach(cleanUp);

describe('AsynqModule', () => {
  describe.each([
    ['imported bare', () => AsynqModule],
    ['with forRoot', () => AsynqModule.forRoot(options(aQueue()))],
    ['with forRoot, not global', () => AsynqModule.forRoot({ ...options(aQueue()), isGlobal: false })],
    ['with forRootAsync, not global', () => AsynqModule.forRootAsync({ useFactory: () => ({}), isGlobal: false })],
  ])('may be exported again by a shared module: %s', (_form, registered) => {
    @Injectable()
    class Consumer {
      constructor(readonly client: AsynqClient) {}
    }
    const env = process.env['ASYNQ_REDIS_URL'];
    beforeEach(() => void (process.env['ASYNQ_REDIS_URL'] = sharedRedisUrl()));
    afterEach(() => {
      if (env === undefined) delete process.env['ASYNQ_REDIS_URL'];
      else process.env['ASYNQ_REDIS_URL'] = env;
    });

    it('as the class', async () => {
      @Module({ imports: [registered()], exports: [AsynqModule] })
      class SharedModule {}
      @Module({ imports: [SharedModule], providers: [Consumer] })
      class FeatureModule {}
      const { app, log } = await startApp({ imports: [FeatureModule] });
      await expect(app.get(Consumer, { strict: false }).client.ping()).resolves.toBeUndefined();
      expect(log.ofAsynq()).toHaveLength(1);
    });

    it('as what was imported, by a module that exports another', async () => {
      const imported = registered();
      @Module({ imports: [imported], exports: [imported] })
      class SharedModule {}
      @Module({ imports: [SharedModule], exports: [SharedModule] })
      class CoreModule {}
      @Module({ imports: [CoreModule], providers: [Consumer] })
      class FeatureModule {}
      const { app } = await startApp({ imports: [FeatureModule] });
      expect(app.get(Consumer, { strict: false }).client).toBeInstanceOf(AsynqClient);
    });
  });

  it('exported again with a named instance only, offers no default one', async () => {
    const registered = AsynqModule.forRoot({ ...options(aQueue()), name: 'billing', isGlobal: false });
    @Module({ imports: [registered], exports: [AsynqModule] })
    class SharedModule {}
    @Injectable()
    class Billing {
      constructor(@InjectClient('billing') readonly client: AsynqClient) {}
    }
    const { app, client } = await startApp({ imports: [SharedModule], providers: [Billing] });
    expect(app.get(Billing).client).toBeInstanceOf(AsynqClient);
    expect(client).toBeUndefined();
  });
});
