// A worker of ours in a process of its own, to be killed: `node run-typescript.cjs node-worker-main.ts URL OPTIONS`.
import { NodeWorker, type NodeWorkerOptions } from './node-worker.js';

const [url = '', options = '{}'] = process.argv.slice(2);

void NodeWorker.start(JSON.parse(options) as NodeWorkerOptions, { url }).then(() => process.stdout.write('ready\n'));

// Nothing outlives the test that started it.
process.stdin.once('close', () => process.exit()).resume();
