import type { ModuleRef } from '@nestjs/core';
import type { GlobalEnhancers } from './handler.invoker.js';

/** Whether the application has enhancers that apply everywhere: `useGlobalGuards`, `APP_GUARD` and the like. */
export function globalEnhancersOf(moduleRef: ModuleRef): GlobalEnhancers {
  // Nest's application config cannot be injected; a module reference holds the way to it.
  const config = moduleRef['container'].applicationConfig;
  if (config === undefined) return { guardsOrInterceptors: 'some', filters: 'some' };
  const guards = [...config.getGlobalGuards(), ...config.getGlobalRequestGuards()];
  const interceptors = [...config.getGlobalInterceptors(), ...config.getGlobalRequestInterceptors()];
  const filters = [...config.getGlobalFilters(), ...config.getGlobalRequestFilters()];
  return {
    guardsOrInterceptors: guards.length + interceptors.length > 0 ? 'some' : 'none',
    filters: filters.length > 0 ? 'some' : 'none',
  };
}
