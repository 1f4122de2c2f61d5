import { Injectable } from '@nestjs/common';
import {
  AsynqModule,
  type AsynqModuleOptions,
  AsynqScheduler,
  Cron,
  InvalidOptionError,
  TaskAggregator,
  TaskHandler,
} from '../../lib/index.js';
import { aQueue, cleanUp, options, startApp } from './support.js';

afterEach(cleanUp);

type Class = new (...args: never[]) => unknown;

const start = (providers: readonly Class[], more?: AsynqModuleOptions) =>
  startApp({ imports: [AsynqModule.forRoot(options(aQueue(), more))], providers: [...providers] });

it('the start counts handlers, schedules and aggregators by class', async () => {
  @Injectable()
  class Mails {
    @TaskHandler('a')
    @TaskHandler('b')
    send() {}
    @TaskAggregator('mails')
    digest() {
      return ['a'] as const;
    }
  }
  @Injectable()
  class Backups {
    @Cron('0 2 * * *')
    backup() {}
  }
  const { log } = await start([Mails, Backups]);
  expect(log.ofAsynq()).toContain('Found Mails (2 handlers, 1 aggregator), Backups (1 schedule)');
});

it('the start does not count a handler whose metadata another decorator has taken away', async () => {
  const wrap: MethodDecorator = (_target, _name, descriptor) => {
    const method = descriptor.value as (...args: unknown[]) => unknown;
    descriptor.value = function (this: unknown, ...args: unknown[]) {
      return method.apply(this, args);
    } as never;
  };
  @Injectable()
  class Mails {
    @wrap
    @TaskHandler('lost')
    lost() {}
    @TaskHandler('kept')
    @wrap
    kept() {}
  }
  expect((await start([Mails])).log.ofAsynq()).toContain('Found Mails (1 handler)');
});

describe('the id of a schedule in a bundle', () => {
  const named = (name: string, given: { readonly id?: string } = {}): Class => {
    class Backups {
      @Cron('0 2 * * *', given)
      backup() {}
    }
    Object.defineProperty(Backups, 'name', { value: name });
    return Injectable()(Backups) ?? Backups;
  };

  it.each(['t', 'Ae', '', '$e', 'a1b', '_0'])('is refused when the class looks minified: "%s"', async (name) => {
    const boot = start([named(name)]);
    await expect(boot).rejects.toThrow(InvalidOptionError);
    await expect(boot).rejects.toThrow(`the class is called "${name}", as bundlers rename classes`);
    await expect(boot).rejects.toThrow("give it an id, such as { id: 'backups.backup' }");
  });

  it.each(['Backups2', 'Backups$1', '_Backups'])('is warned about when it may be made up: "%s"', async (name) => {
    const { log } = await start([named(name)]);
    const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toContain(
      `@Cron on ${name}.backup in AppModule: the id "${name}.backup" comes from a class name that a bundler may have given and may change: give it an id`,
    );
  });

  it('is no matter when it is given, and the type comes from it', async () => {
    const { app, log } = await start([named('t', { id: 'backups.nightly' })]);
    expect(app.get(AsynqScheduler).schedules()).toMatchObject([
      { id: 'backups.nightly', type: 'cron:backups.nightly' },
    ]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});
