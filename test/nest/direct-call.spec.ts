import { Injectable, Module, UseInterceptors, UsePipes, ValidationPipe } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ExternalContextCreator, ModuleRef, NestFactory } from '@nestjs/core';
import type { Task } from '../../lib/index.js';
import { TaskHandler, TaskPayload } from '../../lib/index.js';
import { taskHandlerKey } from '../../lib/nest/asynq.tokens.js';
import { DecoratedMethods } from '../../lib/nest/discovery/decorated-methods.js';
import { ThrottledLogger } from '../../lib/engine/lifecycle/throttled-logger.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { EnhancerFinder } from '../../lib/nest/execution/enhancers.js';
import { GlobalEnhancers } from '../../lib/nest/execution/global-enhancers.js';
import { HandlerInvoker } from '../../lib/nest/execution/handler.invoker.js';

@Injectable()
class Tasks {
  readonly seen: unknown[] = [];

  @TaskHandler('plain')
  plain(task: Task) {
    this.seen.push(task);
    return 'at once';
  }

  @TaskHandler('pipes but no parameter')
  @UsePipes(new ValidationPipe())
  pipesOnly() {
    return 'at once';
  }

  @TaskHandler('parameter')
  parameter(@TaskPayload() payload: unknown) {
    return payload;
  }

  @TaskHandler('intercepted')
  @UseInterceptors({ intercept: (_context, next) => next.handle() })
  intercepted() {
    return 'later';
  }
}

@Module({ imports: [DiscoveryModule], providers: [Tasks] })
class AppModule {}

const task = { payload: 'payload' } as Task;

async function handlers(prepare: (app: Awaited<ReturnType<typeof NestFactory.create>>) => void = () => {}) {
  const app = await NestFactory.create(AppModule, { logger: false });
  prepare(app);
  const finder = new EnhancerFinder(app.get(ExternalContextCreator));
  const globals = new GlobalEnhancers({ moduleRef: app.get(ModuleRef), finder });
  const logger = new ThrottledLogger({ logger: silentLogger, clock: systemClock });
  const invoker = new HandlerInvoker({ finder, globals, kinds: new Set(['guards', 'pipes']), logger });
  const methods = new DecoratedMethods(app.get(DiscoveryService));
  const bound = methods.find<{ pattern: string }>(taskHandlerKey);
  return {
    tasks: app.get(Tasks),
    handle: (pattern: string) => {
      const definition = bound.find(({ metadata }) => metadata.pattern === pattern);
      if (definition === undefined) throw new Error(`no handler for ${pattern}`);
      return invoker.bind(definition)(task);
    },
  };
}

describe('a method without enhancers', () => {
  it('is called directly with the task, and its return value is returned unchanged', async () => {
    const { handle, tasks } = await handlers();
    expect(handle('plain')).toBe('at once');
    expect(tasks.seen).toEqual([task]);
    expect(handle('pipes but no parameter')).toBe('at once');
  });

  it('may be replaced on its instance, as test spies do', async () => {
    const { handle, tasks } = await handlers();
    tasks.plain = () => 'replaced';
    expect(handle('plain')).toBe('replaced');
  });

  it('goes through Nest when the application has enhancers for everything', async () => {
    const { handle } = await handlers((app) => app.useGlobalGuards({ canActivate: () => true }));
    const result = handle('plain');
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe('at once');
  });
});

describe('a method with enhancers or decorated parameters', () => {
  it.each([
    ['parameter', 'payload'],
    ['intercepted', 'later'],
  ])('goes through Nest: %s', async (pattern, expected) => {
    const { handle } = await handlers();
    const result = handle(pattern);
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe(expected);
  });
});
