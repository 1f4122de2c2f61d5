import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';

/** Creates a value from injected providers, once, when the application starts. */
export interface ConfigurableFactory<T> {
  readonly inject?: readonly (InjectionToken | OptionalFactoryDependency)[] | undefined;
  readonly useFactory: (...dependencies: never[]) => T | Promise<T>;
}

/**
 * A value, or a factory that creates it from injected providers.
 *
 * @example
 * { inject: [ConfigService], useFactory: (config: ConfigService) => config.get('MAILS_ENABLED') === 'yes' }
 */
export type Configurable<T> = T | ConfigurableFactory<T>;

/** Options of a decorator; each one, or all together, may come from a factory. */
export type ConfigurableOptions<O extends object> =
  ConfigurableFactory<O> | { readonly [Name in keyof O]: Configurable<O[Name]> };

/** Whether a configurable is a factory rather than a value. */
export function isConfigurableFactory<T>(value: Configurable<T>): value is ConfigurableFactory<T> {
  return typeof value === 'object' && value !== null && 'useFactory' in value && typeof value.useFactory === 'function';
}
