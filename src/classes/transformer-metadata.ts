import { createRequire } from 'node:module';
import { Exclude } from 'class-transformer';

interface TypeMetadata {
  readonly typeFunction?: () => unknown;
  readonly reflectedType?: unknown;
  readonly options?: { readonly discriminator?: unknown };
}

/** What class-transformer keeps of classes: of each kind, a map by class. */
interface Storage {
  readonly types: ReadonlyMap<object, ReadonlyMap<unknown, TypeMetadata>>;
  readonly all: readonly ReadonlyMap<object, unknown>[];
}

const KINDS = ['_typeMetadatas', '_transformMetadatas', '_exposeMetadatas', '_excludeMetadatas'] as const;

/** Undefined within where it cannot be found. Looked for when it is first needed, not at import. */
let found: { readonly storage: Storage | undefined } | undefined;

const known = new WeakMap<object, boolean>();

/** Whether class-transformer has anything to do for instances of a class. Where that cannot be told, it is so. */
export function isTransformed(classRef: object): boolean {
  const cached = known.get(classRef);
  if (cached !== undefined) return cached;
  const storage = findStorage();
  const isKnown = !storage || ancestry(classRef).some((each) => isIn(storage, each));
  known.set(classRef, isKnown);
  return isKnown;
}

/** Whether any class has types that are told apart by a property, which class-transformer takes out of what it is given. */
export function hasDiscriminators(): boolean {
  const storage = findStorage();
  if (!storage) return true;
  for (const types of storage.types.values()) {
    for (const { options } of types.values()) if (options?.discriminator) return true;
  }
  return false;
}

/** The class of a property, if `@Type` says so. */
export function typeOf(classRef: object, property: string): object | undefined {
  for (const each of ancestry(classRef)) {
    const metadata = findStorage()?.types.get(each)?.get(property);
    const type = metadata && (metadata.typeFunction ? call(metadata.typeFunction) : metadata.reflectedType);
    if (typeof type === 'function') return type;
  }
  return undefined;
}

function isIn({ all }: Storage, classRef: object): boolean {
  return all.some((metadatas) => metadatas.has(classRef));
}

/** A class, and those that it extends. */
function ancestry(classRef: object): object[] {
  const classes: object[] = [];
  for (let each: unknown = classRef; typeof each === 'function'; each = Object.getPrototypeOf(each)) {
    classes.push(each);
  }
  return classes;
}

function findStorage(): Storage | undefined {
  found ??= { storage: loadStorage() };
  return found.storage;
}

/**
 * It is not part of what class-transformer exports, so that it may be missing, or that of a second copy (a bundle), which would know nothing:
 * hence it is asked for a class that was decorated for that.
 */
function loadStorage(): Storage | undefined {
  class Probe {}
  try {
    const require = createRequire(import.meta.url);
    const { defaultMetadataStorage } = require('class-transformer/cjs/storage') as {
      readonly defaultMetadataStorage: Readonly<Record<(typeof KINDS)[number], Map<object, never>>>;
    };
    Exclude()(Probe);
    const all = KINDS.map((kind) => defaultMetadataStorage[kind]);
    const isKnown = all.map((metadatas) => metadatas.delete(Probe)).includes(true);
    return isKnown ? { types: defaultMetadataStorage[KINDS[0]], all } : undefined;
  } catch {
    return undefined;
  }
}

function call(typeFunction: () => unknown): unknown {
  try {
    return typeFunction();
  } catch {
    return undefined;
  }
}
