/*
 * Defaults of options that several parts have under the same name, so that they agree.
 */

/** `shutdownTimeout` of servers and schedulers: Kubernetes and others end a process ten seconds after they ask it to stop. */
export const defaultShutdownTimeout = '8s';

/** `strictPayload` of clients, schedulers and servers. */
export const defaultStrictPayload = true;
