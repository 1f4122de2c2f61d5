// What a task pays for Nest's own pipe and injector, with nothing of ours around them: the floor under the bench case
// `extras`; and what it pays for ours in their place:
//   npm run build && node bench/micro/nest-extras.mjs
import { Inject, Injectable, Module, Scope, ValidationPipe } from '@nestjs/common';
import { ContextIdFactory, DiscoveryModule, DiscoveryService, ModuleRef, NestFactory } from '@nestjs/core';
import { plainToInstance } from 'class-transformer';
import { IsInt, IsString, validate } from 'class-validator';
import { ConstructionPlan } from '../../dist/nest/execution/construction-plan.js';
import { resolveProvider } from '../../dist/nest/execution/resolve-provider.js';

class Payload {
  userId = 0;
  template = '';
  text = '';
}
IsInt()(Payload.prototype, 'userId');
IsString()(Payload.prototype, 'template');
IsString()(Payload.prototype, 'text');

class Tasks {
  constructor(value) {
    this.value = value;
  }
  handle() {
    return this.value;
  }
}
Inject('VALUE')(Tasks, undefined, 0);
Injectable({ scope: Scope.REQUEST })(Tasks);

function AppModule() {}
Module({ imports: [DiscoveryModule], providers: [Tasks, { provide: 'VALUE', useValue: 42 }] })(AppModule);

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const moduleRef = app.select(AppModule).get(ModuleRef, { strict: true });
const host = app
  .get(DiscoveryService)
  .getProviders()
  .find(({ token }) => token === Tasks);
const first = {};
const { contextId } = await resolveProvider(host, { subject: first });
const plan = ConstructionPlan.of(host, { contextId, request: first });

const pipe = new ValidationPipe();
const metadata = { type: 'body', metatype: Payload };
const bytes = Buffer.from(JSON.stringify({ userId: 42, template: 'welcome', text: 'x'.repeat(75) }));
const read = () => JSON.parse(bytes.toString());
const plain = read();
const instance = plainToInstance(Payload, plain);

const subjects = {
  'a payload is decoded': read,
  'class-transformer: plainToInstance': () => plainToInstance(Payload, plain),
  'class-validator: validate': () => validate(instance),
  'Nest: ValidationPipe.transform': () => pipe.transform({ ...plain }, metadata),
  'Nest: REQUEST registered, ModuleRef.resolve': () => {
    const task = {};
    const id = ContextIdFactory.getByRequest(task);
    moduleRef.registerRequestByContextId(task, id);
    return moduleRef.resolve(Tasks, id, { strict: true });
  },
  'ours: ConstructionPlan.construct': () => plan.construct({}),
};

// In turns, so that none is measured on a warmer machine.
const best = new Map();
for (let round = 0; round < 10; round += 1) {
  for (const [name, call] of Object.entries(subjects)) {
    best.set(name, Math.min(best.get(name) ?? Infinity, await measure(call)));
  }
}
for (const [name, micros] of best) console.log(`${name.padEnd(44)} ${micros.toFixed(2).padStart(6)} µs`);
await app.close();

async function measure(call) {
  const calls = 20_000;
  const atOnce = 100;
  const start = performance.now();
  for (let made = 0; made < calls; made += atOnce) await Promise.all(Array.from({ length: atOnce }, call));
  return ((performance.now() - start) * 1_000) / calls;
}
