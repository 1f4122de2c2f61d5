import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AsynqClient, AsynqModule, TaskHandler } from 'nestjs-asynq';
import { AsynqTestingModule, AsynqTestKit } from 'nestjs-asynq/testing';
import type { DrillContext } from './drill-context.js';

class Tasks {
  @TaskHandler('drill')
  handle(): void {}
}

@Module({ imports: [AsynqModule.forRoot({ redis: 'redis://nowhere.invalid' })], providers: [Tasks] })
class AppModule {}

/** A thousand applications under test start and close in one process; nothing of them is left. */
export async function cycles({ verdict, tasks: rounds = 1_000 }: DrillContext): Promise<void> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('Heap figures need node --expose-gc');
  const figures = async (): Promise<readonly [heap: number, resources: number, listeners: number]> => {
    // What was closed last is let go of in the next turn; what has finalizers takes a second collection.
    await new Promise((resolve) => setImmediate(resolve));
    gc();
    gc();
    const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
    return [process.memoryUsage().heapUsed, process.getActiveResourcesInfo().length, listeners];
  };
  // Compiled code and shapes of objects settle in the first thousand.
  const warmUp = 1_000;
  for (let round = 0; round < warmUp; round += 1) await cycle();
  const [heapBefore, resourcesBefore, listenersBefore] = await figures();
  for (let round = 0; round < rounds; round += 1) await cycle();
  const [heapAfter, resourcesAfter, listenersAfter] = await figures();
  // A kilobyte a cycle would be an object or two that stay; an application that stays is a hundred times that.
  const grown = heapAfter - heapBefore;
  verdict.expect(`growth of the heap in ${rounds} cycles`, {
    figure: `${(grown / 1_024).toFixed(0)} KB`,
    bound: `at most ${rounds} KB`,
    holds: grown <= rounds * 1_024,
  });
  verdict.expect('resources and listeners', {
    figure: `${resourcesAfter} and ${listenersAfter}`,
    bound: `as before, ${resourcesBefore} and ${listenersBefore}`,
    holds: resourcesAfter <= resourcesBefore && listenersAfter <= listenersBefore,
  });
}

async function cycle(): Promise<void> {
  const module = await Test.createTestingModule({ imports: [AppModule, AsynqTestingModule] }).compile();
  await module.init();
  const kit = module.get(AsynqTestKit);
  await module.get(AsynqClient).enqueue('drill', {});
  await module.get(AsynqClient).enqueue('drill', {}, { processIn: '1h' });
  await kit.advance('1d');
  await module.close();
}
