import type { SignalListener } from '../../lib/model/broker/presence.contract.js';

const ignore = (): void => {};

/** Returns a listener that ignores every signal but those in `heard`. */
export function signalListener(heard: Partial<SignalListener> = {}): SignalListener {
  return {
    onCancel: ignore,
    onWake: ignore,
    onDue: ignore,
    onMaintenance: ignore,
    onReconnect: ignore,
    ...heard,
  };
}
