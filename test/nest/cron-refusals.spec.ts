import { Controller, Injectable, Module, Scope } from '@nestjs/common';
import {
  AsynqModule,
  type AsynqModuleOptions,
  Cron,
  type CronOptions,
  CronSpecError,
  HandlerConflictError,
  InvalidOptionError,
  ProvidesPeriodicTasks,
  type ProvidesPeriodicTasksOptions,
  TaskHandler,
} from '../../lib/index.js';
import { aQueue, cleanUp, options, startApp } from './support.js';

afterEach(cleanUp);

type Class = new (...args: never[]) => unknown;

function boot(providers: readonly Class[], more: AsynqModuleOptions = {}): Promise<unknown> {
  return startApp({ imports: [AsynqModule.forRoot(options(aQueue(), more))], providers: [...providers] });
}

describe('the start of an application fails', () => {
  it.each(['all', 'worker', 'producer'] as const)(
    'for a wrong spec, naming the method and the column, in the role %s',
    async (role) => {
      @Injectable()
      class Backups {
        @Cron('0 25 * * *')
        backup() {}
      }
      const failure = await boot([Backups], { role }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(InvalidOptionError);
      expect((failure as Error).message).toMatch(
        /^@Cron on Backups\.backup in AppModule: Cron spec "0 25 \* \* \*": .*, at column 3$/,
      );
      expect((failure as Error).cause).toBeInstanceOf(CronSpecError);
    },
  );

  it('for an abbreviation as the zone of a spec, with the name that was probably meant', async () => {
    @Injectable()
    class Backups {
      @Cron('CRON_TZ=BST 0 2 * * *')
      backup() {}
    }
    await expect(boot([Backups])).rejects.toThrow(
      `@Cron on Backups.backup in AppModule: Cron spec "CRON_TZ=BST 0 2 * * *": the zone must be an IANA time zone, got "BST"; did you mean 'Europe/London'?, at column 9`,
    );
  });

  it.each([
    [{ timeZone: 'Hanoi' }, `timeZone must be an IANA time zone such as 'Europe/Berlin', got "Hanoi"`],
    [{ timeZone: 'BST' }, `timeZone must be an IANA time zone, got "BST"; did you mean 'Europe/London'?`],
    [{ queue: '' }, 'queue must be'],
    [{ maxRetry: -1 }, 'maxRetry must be an integer from 0'],
    [{ catchUp: 'some' }, `catchUp must be one of 'skip', 'latest', 'all', got "some"`],
    [{ overlap: 'queue' }, `overlap must be one of 'allow', 'skip', got "queue"`],
    [{ timezone: 'UTC' }, 'timezone is not an option; did you mean timeZone?'],
    [{ taskId: 'one' }, ': taskId must be left out of a schedule, got "one": '],
    [
      { unique: '25h' },
      ': unique must be at most 24h, the shortest time between two ticks of "0 2 * * *", got "25h": ',
    ],
    [{ id: ' ' }, 'id must be text that is not blank'],
    [{ enabled: 'no' }, 'enabled must be true or false, got "no"'],
    [{ type: 7 }, 'the pattern must be a task type, a prefix or a definition from defineTask, got 7'],
    [{ instance: 'billing' }, `instance must be one of 'default', got "billing"`],
    [{ payload: 1n }, 'cannot be scheduled'],
  ])('for the option %p, naming the method', async (given, message) => {
    @Injectable()
    class Backups {
      @Cron('0 2 * * *', given as CronOptions)
      backup() {}
    }
    const failing = boot([Backups]);
    await expect(failing).rejects.toThrow(InvalidOptionError);
    await expect(failing).rejects.toThrow('@Cron on Backups.backup in AppModule: ');
    await expect(failing).rejects.toThrow(message);
  });

  it('for two schedules of one id, naming both methods', async () => {
    @Injectable()
    class Backups {
      @Cron('0 2 * * *', { id: 'nightly' })
      first() {}
      @Cron('0 3 * * *', { id: 'nightly' })
      second() {}
    }
    await expect(boot([Backups])).rejects.toThrow(
      'Schedule "nightly" is declared twice: by @Cron on Backups.first in AppModule and on Backups.second in AppModule',
    );
  });

  it('for two methods that handle one type, naming both', async () => {
    @Injectable()
    class Backups {
      @Cron('0 2 * * *', { type: 'backup' })
      first() {}
      @TaskHandler('backup')
      second() {}
    }
    const failing = boot([Backups]);
    await expect(failing).rejects.toThrow(HandlerConflictError);
    await expect(failing).rejects.toThrow(/Backups\.second in AppModule and Backups\.first in AppModule/);
  });

  it('for a schedule on a request-scoped controller', async () => {
    @Controller({ scope: Scope.REQUEST })
    class Backups {
      @Cron('0 2 * * *')
      backup() {}
    }
    @Module({ controllers: [Backups] })
    class BackupModule {}
    const imports = [BackupModule, AsynqModule.forRoot(options(aQueue()))];
    await expect(startApp({ imports })).rejects.toThrow(
      '@Cron on Backups.backup in BackupModule: must be on a provider',
    );
  });

  it('for a disabled id that no schedule has', async () => {
    @Injectable()
    class Backups {
      @Cron('0 2 * * *')
      backup() {}
    }
    await expect(boot([Backups], { scheduler: { disabled: ['Backups.bakcup'] } })).rejects.toThrow(
      'AsynqModule: scheduler.disabled[0]: no @Cron has the id "Backups.bakcup"; did you mean Backups.backup?',
    );
  });

  it.each([
    [{ syncInterval: 0 }, 'syncInterval must be a duration'],
    [{ interval: '1m' }, 'interval is not an option'],
    [{ instance: 'billing' }, `instance must be one of 'default'`],
  ])('for the option %p of @ProvidesPeriodicTasks, naming the method', async (given, message) => {
    @Injectable()
    class Reports {
      @ProvidesPeriodicTasks(given as ProvidesPeriodicTasksOptions)
      getTasks() {
        return [];
      }
    }
    await expect(boot([Reports])).rejects.toThrow(
      `@ProvidesPeriodicTasks on Reports.getTasks in AppModule: ${message}`,
    );
  });
});
