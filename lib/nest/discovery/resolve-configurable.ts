import type { ModuleRef } from '@nestjs/core';
import { checkObject } from '../../model/options/check.js';
import { type Configurable, type ConfigurableOptions, isConfigurableFactory } from '../decorators/configurable.js';

/** Runs the factories among a decorator's options; each dependency may come from any module. */
export async function resolveConfigurable<O extends object>(
  options: ConfigurableOptions<O>,
  context: { readonly moduleRef: ModuleRef; readonly path: string },
): Promise<O> {
  const fields = await resolveOne(options as Configurable<O>, context.moduleRef);
  const resolved: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(checkObject({ path: context.path, value: fields }))) {
    resolved[name] = await resolveOne(value, context.moduleRef);
  }
  return resolved as O;
}

async function resolveOne<T>(value: Configurable<T>, moduleRef: ModuleRef): Promise<T> {
  if (!isConfigurableFactory(value)) return value;
  const dependencies = (value.inject ?? []).map((dependency) => {
    const isOptional = typeof dependency === 'object' && 'token' in dependency;
    const token = isOptional ? dependency.token : dependency;
    try {
      return moduleRef.get<unknown>(token, { strict: false });
    } catch (error) {
      if (isOptional && dependency.optional) return undefined;
      throw error;
    }
  });
  return await (value.useFactory as (...given: readonly unknown[]) => T | Promise<T>)(...dependencies);
}
