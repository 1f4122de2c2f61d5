/** What a server is run with. */
export type RedisProgram = { readonly kind: 'program'; readonly path: string } | { readonly kind: 'docker' };

export interface RedisServerOptions {
  /** Every write is synced to disk, and survives kill() and restart(). */
  readonly appendonly?: boolean;
  /** More arguments of redis-server. */
  readonly args?: readonly string[];
  /** Text of a configuration file to start from. */
  readonly config?: string;
  /** More files of the server's folder, which is its working folder: name -> text. */
  readonly files?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly server?: RedisProgram;
}

/** One private server. */
export interface RunningRedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly dir: string;
  readonly log: string;
  readonly pid: number | undefined;
  start(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export function findRedisServer(names?: readonly string[]): RedisProgram | undefined;
export function provideRedisServer(options?: { say?: (line: string) => void }): RedisProgram;
export function startRedisServer(options?: RedisServerOptions): Promise<RunningRedisServer>;
export function freePort(): Promise<number>;
