import { Server } from 'node:net';
import type { HttpAdapterHost } from '@nestjs/core';

/**
 * Gives the port of an application's HTTP server free, while requests that are being answered go on; Nest closes the
 * rest later. An application that is started anew while another drains can then listen.
 */
export function stopListening(host: HttpAdapterHost | undefined): void {
  // An application without HTTP has no adapter, or one without a server, whatever Nest's types promise.
  const adapter = host?.httpAdapter as { getHttpServer?(): unknown } | undefined;
  const server = adapter?.getHttpServer?.();
  if (server instanceof Server && server.listening) server.close();
}
