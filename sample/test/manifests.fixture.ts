import { readdirSync, readFileSync } from 'node:fs';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { parseAllDocuments } from 'yaml';

const FOLDER = new URL('../k8s/', import.meta.url);

/** The kinds that Atlas uses, each with the schema that Kubernetes publishes for it. */
const MODELS = { ConfigMap, Deployment, PodDisruptionBudget, Secret, Service };

interface ManifestTypes {
  ConfigMap: ConfigMap;
  Deployment: Deployment;
  PodDisruptionBudget: PodDisruptionBudget;
  Secret: Secret;
  Service: Service;
}

/** A document of a YAML file, before anything is known of it but its kind. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: keyof ManifestTypes;
}

/** Every document of every file of `sample/k8s`, read by the rules of YAML 1.1, as kubectl does: there `on` and `0440` are no text. */
export function readManifests(): Manifest[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => parseManifests(readFileSync(new URL(name, FOLDER), 'utf8')));
}

/** @throws YAMLParseError */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    const [error] = document.errors;
    if (error) throw error;
    return document.toJS() as Manifest;
  });
}

/** Those of one kind, in their own types. */
export function ofKind<Kind extends keyof ManifestTypes>(
  manifests: readonly Manifest[],
  kind: Kind,
): ManifestTypes[Kind][] {
  return manifests.filter((manifest) => manifest.kind === kind) as unknown as ManifestTypes[Kind][];
}

/**
 * What the API server would not accept: what breaks the schema, and fields that the schema does not have. The latter are allowed by the
 * schema itself, but not by `kubectl apply`, which asks for strict validation. A validation looks at every field that it knows: what it has
 * not looked at is a field that there is not.
 */
export function problemsOf(manifest: Manifest): string[] {
  const model = MODELS[manifest.kind];
  if (model?.apiVersion !== manifest.apiVersion)
    return [`${manifest.apiVersion} ${manifest.kind} is not known`];
  const unread = new Set<string>();
  try {
    model.prototype.validate.call(watched(manifest, '', unread));
  } catch (error) {
    return [(error as Error).message];
  }
  return [...unread].map((path) => `${path} is not in the schema`);
}

/** A copy that takes a path out of `unread` when it is looked at. */
function watched<T>(value: T, path: string, unread: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => watched(item, `${path}/${index}`, unread)) as T;
  const copy = Object.entries(value).map(([name, inner]) => {
    unread.add(`${path}/${name}`);
    return [name, watched(inner, `${path}/${name}`, unread)];
  });
  return new Proxy(Object.fromEntries(copy), {
    get(target, name, receiver) {
      unread.delete(`${path}/${String(name)}`);
      return Reflect.get(target, name, receiver);
    },
  });
}
