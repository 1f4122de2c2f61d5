import { Server } from 'node:net';
import type { HttpAdapterHost } from '@nestjs/core';

/**
 * Releases the port of an application's HTTP server while requests in progress continue; Nest closes the rest later. An
 * application that is restarted while the old one drains can then listen.
 */
export function stopListening(host: HttpAdapterHost | undefined): void {
  // An application without HTTP has no adapter, or one without a server, whatever Nest's types promise.
  const adapter = host?.httpAdapter as { getHttpServer?(): unknown } | undefined;
  const server = adapter?.getHttpServer?.();
  if (server instanceof Server && server.listening) server.close();
}
