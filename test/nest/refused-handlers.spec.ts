import { Injectable } from '@nestjs/common';
import {
  AsynqModule,
  Cron,
  CurrentTask,
  defineTask,
  InvalidOptionError,
  OnTaskEvent,
  ProvidesPeriodicTasks,
  Task,
  TaskAggregator,
  TaskHandler,
  TaskPayload,
} from '../../lib/index.js';
import { aQueue, cleanUp, options, startApp } from './support.js';

afterEach(cleanUp);

const decorators = [
  ['@TaskHandler', TaskHandler('x')],
  ['@Cron', Cron('* * * * *')],
  ['@TaskAggregator', TaskAggregator('x')],
  ['@OnTaskEvent', OnTaskEvent('completed')],
  ['@ProvidesPeriodicTasks', ProvidesPeriodicTasks()],
] as unknown as readonly (readonly [string, (...place: readonly unknown[]) => void])[];

describe.each(decorators)('%s on what is not a method of instances', (name, decorate) => {
  class Mails {
    send() {}
  }

  // What compilers hand to a decorator: tsc gives properties no descriptor, swc one without a value.
  it.each<readonly [string, readonly unknown[]]>([
    ['a static method', [Mails, 'send', { value: () => {} }]],
    ['a property', [Mails.prototype, 'send', undefined]],
    ['a property', [Mails.prototype, 'send', { initializer: () => () => {} }]],
    ['a getter or setter', [Mails.prototype, 'send', { get: () => () => {} }]],
  ])('is refused by name: %s', (what, place) => {
    const decorating = (): void => decorate(...place);
    expect(decorating).toThrow(InvalidOptionError);
    expect(decorating).toThrow(`${name} on Mails.send must be on a method: send() { ... }; it is on ${what}`);
  });
});

describe('the parameters of a handler', () => {
  class SendDto {
    id!: string;
  }
  const registered = () => AsynqModule.forRoot(options(aQueue()));

  @Injectable()
  class Raw {
    @TaskHandler('raw')
    run(_dto: SendDto) {}
  }
  @Injectable()
  class Text {
    @TaskHandler('text')
    run(_payload: string) {}
  }
  @Injectable()
  class Ticking {
    @Cron('* * * * *', { id: 'ticking' })
    run(_dto: SendDto) {}
  }
  @Injectable()
  class TaskFirst {
    @TaskHandler('x')
    run(_task: Task, @TaskPayload() _dto: SendDto) {}
  }
  @Injectable()
  class OneForgotten {
    @TaskHandler('x')
    run(@TaskPayload() _dto: SendDto, _other: SendDto) {}
  }
  const Mail = defineTask<{ to: string }>('mail');
  const Letter = defineTask<{ to: string }>('letter');
  @Injectable()
  class OtherDefinition {
    @TaskHandler(Letter)
    run(@CurrentTask() _task: Task, @TaskPayload(Mail) _mail: { to: string }) {}
  }
  @Injectable()
  class ManyTypes {
    @TaskHandler('mai', { match: 'prefix' })
    run(@TaskPayload(Mail, 'to') _to: string) {}
  }
  const given = '@TaskHandler on TaskFirst.run in AppModule: parameter 1 (Task): other parameters are decorated';

  it.each([
    [
      Raw,
      '@TaskHandler on Raw.run in AppModule: parameter 1 (SendDto): the parameter receives the Task: write "@TaskPayload() ...: SendDto" to get the payload',
    ],
    [Text, '@TaskHandler on Text.run in AppModule: parameter 1 (String)'],
    [Ticking, '@Cron on Ticking.run in AppModule: parameter 1 (SendDto)'],
    [TaskFirst, `${given}, so this one receives nothing: write "@CurrentTask() ...: Task"`],
    [
      OtherDefinition,
      '@TaskHandler on OtherDefinition.run in AppModule: parameter 2: @TaskPayload names the definition of "mail", but the handler is for "letter"',
    ],
    [ManyTypes, 'parameter 1: @TaskPayload names the definition of "mail", but the handler is for "mai"'],
    [OneForgotten, '@TaskHandler on OneForgotten.run in AppModule: parameter 2 (SendDto)'],
  ])('are refused when they would receive something else: %p', async (provider, message) => {
    const boot = startApp({ imports: [registered()], providers: [provider] });
    await expect(boot).rejects.toThrow(InvalidOptionError);
    await expect(boot).rejects.toThrow(message);
  });

  it('may be the task in any form, none, all decorated, or have default values', async () => {
    type Mail = { readonly to: string };
    @Injectable()
    class Fine {
      @TaskHandler('a')
      a(_task: Task<Mail>) {}
      @TaskHandler('b')
      b() {}
      @TaskHandler('c')
      c(@TaskPayload() _dto: SendDto, @CurrentTask() _task: Task) {}
      @TaskHandler('d')
      d(_task: { readonly payload: Mail }) {}
      @TaskHandler('e')
      e(_task: unknown) {}
      @TaskHandler('f')
      f(@TaskPayload() _dto: SendDto, _log: string[] = []) {}
      @TaskHandler(Mail)
      h(@TaskPayload(Mail) _mail: { to: string }) {}
      @TaskHandler('letter')
      i(@TaskPayload(Letter) _letter: { to: string }) {}
      @Cron('* * * * *', { id: 'g' })
      g(_task?: Task) {}
    }
    await expect(startApp({ imports: [registered()], providers: [Fine] })).resolves.toBeDefined();
  });
});
