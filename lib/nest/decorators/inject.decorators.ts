import { Inject } from '@nestjs/common';
import { getClientToken, getMuxToken, getSchedulerToken, getServerToken } from '../asynq.tokens.js';

/**
 * Injects the client of a named instance. For the default instance the class is enough: `private asynq: AsynqClient`.
 *
 * @example
 * constructor(@InjectClient('billing') private readonly billing: AsynqClient) {}
 */
export function InjectClient(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getClientToken(instance));
}

/**
 * Injects the server of a named instance, to listen to its events or to read its status; the module starts and stops
 * it. For the default instance the class is enough.
 *
 * @example
 * constructor(@InjectServer('billing') private readonly server: AsynqServer) {}
 */
export function InjectServer(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getServerToken(instance));
}

/**
 * Injects the mux of a named instance, to add middleware or handlers before the application has started. For the
 * default instance the class is enough.
 *
 * @example
 * constructor(@InjectMux('billing') mux: TaskMux) {
 *   mux.use(tracing);
 * }
 */
export function InjectMux(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getMuxToken(instance));
}

/**
 * Injects the scheduler of a named instance, to add, remove, list or run schedules; the module starts and stops it. For
 * the default instance the class is enough.
 *
 * @example
 * constructor(@InjectScheduler('billing') private readonly schedules: AsynqScheduler) {}
 */
export function InjectScheduler(instance?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getSchedulerToken(instance));
}
