import type { ModuleRef } from '@nestjs/core';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { checkObject, pathOf } from '../../model/options/check.js';
import { type Configurable, type ConfigurableOptions, isConfigurableFactory } from '../decorators/configurable.js';

/** Runs the factories among a decorator's options; each dependency may come from any module. */
export async function resolveConfigurable<O extends object>(
  options: ConfigurableOptions<O>,
  context: { readonly moduleRef: ModuleRef; readonly path: string },
): Promise<O> {
  const { moduleRef, path } = context;
  const optionsPath = pathOf(path, 'options');
  const fields = await resolveValue(options as Configurable<O>, { moduleRef, path: optionsPath });
  const resolved: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(checkObject({ path: optionsPath, value: fields }))) {
    resolved[name] = await resolveValue(value, { moduleRef, path: pathOf(path, name) });
  }
  return resolved as O;
}

/** Returns the value itself, or what its factory creates. */
export async function resolveValue<T>(
  value: Configurable<T>,
  { moduleRef, path }: { readonly moduleRef: ModuleRef; readonly path: string },
): Promise<T> {
  if (!isConfigurableFactory(value)) return value;
  const dependencies = (value.inject ?? []).map((dependency, index) => {
    const isOptional = typeof dependency === 'object' && 'token' in dependency;
    const token = isOptional ? dependency.token : dependency;
    try {
      return moduleRef.get<unknown>(token, { strict: false });
    } catch (error) {
      if (isOptional && dependency.optional) return undefined;
      throw new InvalidOptionError(
        { path: `${path}: inject[${index}]`, value: token, allowed: 'the token of a provider of this application' },
        { cause: error },
      );
    }
  });
  return await (value.useFactory as (...given: readonly unknown[]) => T | Promise<T>)(...dependencies);
}
