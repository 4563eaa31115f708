import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../node_modules/.cache/rednest/', import.meta.url));
const require = createRequire(import.meta.url);

/**
 * Writes a CommonJS package down as one ES module, and returns its path. Before Node 24.9 Jest cannot load a CommonJS package that requires
 * an ES module, as Nest 12 is, though Node itself can.
 */
export function esModuleOf(name) {
  const { version } = require(`${name}/package.json`);
  const path = `${folder}${name.replaceAll('/', '-')}-${version}.mjs`;
  if (existsSync(path)) return path;
  const draft = `${path}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  // Another run may be reading it: it is there as a whole or not at all.
  writeFileSync(draft, moduleText(require.resolve(name), Object.keys(require(name))));
  renameSync(draft, path);
  return path;
}

function moduleText(entry, names) {
  const files = new Map();
  const packages = new Set();
  collect(entry, files, packages);
  return [
    ...Array.from(packages, (each, index) => `import * as package${index} from '${each}';`),
    `const packages = { ${Array.from(packages, (each, index) => `'${each}': package${index}`).join(', ')} };`,
    'const loaded = new Map();',
    ...Array.from(files, ([path, { text, paths }]) => {
      const content = `(exports, require, module) => {${text}\n}`;
      return `loaded.set('${path}', { module: { exports: {} }, paths: ${JSON.stringify(paths)}, run: ${content} });`;
    }),
    `function load(path) {
      const { module, paths, run } = loaded.get(path);
      loaded.get(path).run = undefined;
      run?.(module.exports, (name) => packages[name] ?? load(paths[name]), module);
      return module.exports;
    }`,
    `export const { ${names.join(', ')} } = load('${entry}');`,
  ].join('\n');
}

/** Its own files, and the packages that they require. */
function collect(path, files, packages) {
  if (files.has(path)) return;
  const text = readFileSync(path, 'utf8');
  const paths = {};
  files.set(path, { text, paths });
  for (const [, name] of text.matchAll(/\brequire\(["']([^"']+)["']\)/g)) {
    if (!name.startsWith('.')) packages.add(name);
    else collect((paths[name] = createRequire(path).resolve(name)), files, packages);
  }
}
