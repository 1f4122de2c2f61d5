import { checkBoolean, checkText } from '../../model/options/check.js';
import { defaultInstanceName } from '../asynq.tokens.js';

/** The options that every decorator of a method has, with their factories called. */
interface RegistrationOptions {
  readonly instance?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** For which instance a method is registered, and whether at all. @throws InvalidOptionError. */
export function resolveRegistration(
  { instance = defaultInstanceName, enabled = true }: RegistrationOptions,
  path: string,
): { readonly instance: string; readonly isEnabled: boolean } {
  return {
    instance: checkText({ path: `${path} instance`, value: instance }),
    isEnabled: checkBoolean({ path: `${path} enabled`, value: enabled }),
  };
}
