// What it costs that a payload is looked through for what JSON would lose:
//   npm run build && node bench/micro/payload.mjs
import { encodePayload, encodingCodec, jsonCodec } from '../../dist/model/task/payload.codec.js';

class Order {
  id = 17;
  customer = { name: 'Ada Lovelace', email: 'ada@example.org' };
  lines = [1, 2, 3].map((sku) => ({ sku, amount: sku * 2, note: 'as usual' }));
  at = new Date(0);
}

const strict = encodingCodec(jsonCodec, { strictPayload: true, encoded: 'payload' });

const subjects = {
  'bytes, 200': Buffer.alloc(200),
  'small object': { userId: 42 },
  'object of 10 fields': Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${i}`, i % 2 ? 'text' : i])),
  'class instance': new Order(),
  'list of 100 objects': Array.from({ length: 100 }, (_, id) => ({ id, name: `user ${id}`, tags: ['a', 'b'] })),
};

for (const [name, value] of Object.entries(subjects)) {
  // In turns, so that neither is measured on a warmer machine.
  const best = { plain: Infinity, strict: Infinity };
  for (let round = 0; round < 20; round += 1) {
    best.plain = Math.min(best.plain, measure(value, jsonCodec));
    best.strict = Math.min(best.strict, measure(value, strict));
  }
  const more = ((best.strict / best.plain - 1) * 100).toFixed(0);
  console.log(
    `${name.padEnd(20)} ${best.plain.toFixed(0).padStart(7)} ns, checked ${best.strict.toFixed(0).padStart(7)} ns (+${more} %)`,
  );
}

function measure(value, codec) {
  const repeats = 20_000;
  const start = performance.now();
  for (let repeat = 0; repeat < repeats; repeat += 1) encodePayload(value, codec);
  return ((performance.now() - start) * 1e6) / repeats;
}
