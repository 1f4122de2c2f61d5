import type { Logger } from '../logger.js';
import type { Service } from './service.js';

export interface ServiceGroupDeps {
  /** In the order of starting. */
  readonly services: readonly Service[];
  /** In the order of stopping; the reverse of starting unless something must outlive something else. */
  readonly stopOrder?: readonly Service[];
  readonly logger: Logger;
}

/** Starts services in order and stops them in order. A service that fails to stop does not keep the others running. */
export class ServiceGroup implements Service {
  readonly name = 'services';
  readonly #started: Service[] = [];

  constructor(private readonly deps: ServiceGroupDeps) {}

  /** @throws the error of a service that fails; those started before it are stopped again. */
  async start(): Promise<void> {
    for (const service of this.deps.services) {
      if (this.#started.includes(service)) continue;
      this.#started.push(service);
      try {
        await service.start();
      } catch (error) {
        await this.stop();
        throw error;
      }
    }
  }

  async stop(): Promise<void> {
    const { services, stopOrder = services.toReversed(), logger } = this.deps;
    for (const service of stopOrder) {
      const index = this.#started.indexOf(service);
      if (index === -1) continue;
      this.#started.splice(index, 1);
      try {
        await service.stop();
      } catch (error) {
        logger.error(`${service.name} did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
