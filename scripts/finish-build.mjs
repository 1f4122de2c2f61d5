// Marks the CommonJS copy as such, for resolvers that do not know the module-sync condition.
import { writeFileSync } from 'node:fs';

writeFileSync(new URL('../dist/cjs/package.json', import.meta.url), '{ "type": "commonjs" }\n');
