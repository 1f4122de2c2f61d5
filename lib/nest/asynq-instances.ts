import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { InvalidOptionError } from '../model/errors/option-errors.js';
import type { AsynqInstance } from './asynq-instance.js';
import { defaultInstanceName } from './asynq.tokens.js';
import { listenWhileStarting } from './signals-while-starting.js';

/**
 * Holds every instance of an application and manages their connections: opens them before any other hook of the
 * application runs and closes them after every other hook.
 */
export class AsynqInstances implements OnModuleInit, OnApplicationShutdown {
  readonly #byName = new Map<string, AsynqInstance>();

  /** @throws InvalidOptionError when the name is taken. */
  add(instance: AsynqInstance): AsynqInstance {
    const { name } = instance;
    if (this.#byName.has(name)) throw registeredTwice(name);
    this.#byName.set(name, instance);
    return instance;
  }

  get all(): readonly AsynqInstance[] {
    return [...this.#byName.values()];
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** @throws whatever opening a broker throws; brokers that were already opened are closed again. */
  async onModuleInit(): Promise<void> {
    const giveUp = new AbortController();
    let isEnding = false;
    const signals = listenWhileStarting(async (signal) => {
      isEnding = true;
      for (const { logger } of this.all) logger.info(`${signal} while the start waits for Redis: the process ends`);
      await this.close();
    });
    try {
      await Promise.all(this.all.map((instance) => instance.open(giveUp.signal)));
    } catch (error) {
      // The process is about to end; Nest would log an error in the meantime.
      if (isEnding) return await new Promise<never>(() => {});
      giveUp.abort(error);
      await this.close();
      throw error;
    } finally {
      signals.dispose();
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /** Closes every client and broker; a failure is logged and does not keep the others open. */
  async close(): Promise<void> {
    await Promise.all(this.all.map((instance) => instance.close()));
  }
}

function registeredTwice(name: string): InvalidOptionError {
  const instance = name === defaultInstanceName ? 'the default instance' : `the instance "${name}"`;
  return new InvalidOptionError({
    path: 'AsynqModule: name',
    value: name,
    allowed: 'registered once',
    message: `AsynqModule: ${instance} is registered twice; register it once, in the root module, or give one its own name`,
  });
}
