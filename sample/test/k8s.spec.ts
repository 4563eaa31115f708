import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import { AtlasEnvironment, validateEnvironment } from '../environment.js';
import { RunningAtlas } from './atlas.fixture.js';
import { ofKind, parseManifests, problemsOf, readManifests } from './manifests.fixture.js';

/** Milliseconds that Atlas has to end its requests, handlers and connections. */
const TO_CLOSE = 10_000;

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

const manifests = readManifests();
const [deployment] = ofKind(manifests, 'Deployment');
const [configMap] = ofKind(manifests, 'ConfigMap');
const [service] = ofKind(manifests, 'Service');
const [budget] = ofKind(manifests, 'PodDisruptionBudget');
const secrets = ofKind(manifests, 'Secret');
const template = deployment!.spec!.template;
const pod = template.spec!;
const container = pod.containers[0]!;
const variables = configMap!.data!;
const probes = [container.startupProbe!, container.livenessProbe!, container.readinessProbe!];
const annotations = template.metadata!.annotations!;

/** What stands in a secret under a key; undefined where it does not. */
const secretValue = (name: string, key: string) =>
  secrets.find(({ metadata }) => metadata?.name === name)?.stringData?.[key];

/** Of variables such as `5s`. */
const seconds = (text: string) => Number(/^(\d+)s$/.exec(text)![1]);

describe('the schema check', () => {
  it.each([
    ['a field that is missing', 'containers: [{ image: atlas }]', /must have required property name/],
    ['a wrong type', 'containers: [{ name: atlas, ports: [{ containerPort: http }] }]', /must be integer/],
    ['a misspelt field', 'containers: [{ name: a, livenessprobe: {} }]', /0\/livenessprobe is not in/],
    [
      'a field in the wrong place',
      'containers: [{ name: a, hostNetwork: true }]',
      /0\/hostNetwork is not in/,
    ],
    ['what is no boolean', 'containers: [{ name: a, tty: "yes" }]', /must be boolean/],
  ])('finds %s', (_, spec, problem) => {
    const text = `{ apiVersion: apps/v1, kind: Deployment, spec: {
      selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: b } }, spec: { ${spec} } } } }`;
    expect(parseManifests(text).flatMap(problemsOf)).toEqual([expect.stringMatching(problem)]);
  });

  it('finds a version that there is not', () => {
    const text = '{ apiVersion: apps/v1beta1, kind: Deployment }';
    expect(parseManifests(text).flatMap(problemsOf)).toEqual(['apps/v1beta1 Deployment is not known']);
  });
});

describe('the manifests', () => {
  it('are accepted by the schema of Kubernetes', () => {
    expect(manifests.map(({ kind }) => kind).toSorted()).toEqual([
      'ConfigMap',
      'Deployment',
      'PodDisruptionBudget',
      'Secret',
      'Secret',
      'Secret',
      'Service',
    ]);
    expect(manifests.flatMap(problemsOf)).toEqual([]);
  });

  it('select the pods of the Deployment', () => {
    const selectors = [
      deployment!.spec!.selector.matchLabels,
      service!.spec!.selector,
      budget!.spec!.selector!.matchLabels,
      pod.topologySpreadConstraints![0]!.labelSelector!.matchLabels,
    ];
    for (const selector of selectors) expect(template.metadata!.labels).toMatchObject(selector!);
  });

  it('agree on the port', () => {
    const port = container.ports![0]!;
    expect(port).toEqual({ name: 'http', containerPort: Number(variables['PORT']) });
    expect(annotations['prometheus.io/port']).toBe(variables['PORT']);
    expect(service!.spec!.ports![0]!.targetPort).toBe(port.name);
    for (const { httpGet } of probes) expect(httpGet!.port).toBe(port.name);
  });

  it('set variables that Atlas or rednest reads', () => {
    const names = [...Object.keys(variables), ...container.env!.map(({ name }) => name)];
    const ofAtlas = Object.keys(new AtlasEnvironment());
    const ofRednest = [...read('../../.env.example').matchAll(/^# ?([A-Z_]+)=/gm)].map(([, name]) => name);
    expect([...ofAtlas, ...ofRednest]).toEqual(expect.arrayContaining(names));
    expect(() => validateEnvironment(variables)).not.toThrow();
  });

  it('refer to what there is', () => {
    expect(container.envFrom).toEqual([{ configMapRef: { name: configMap!.metadata!.name } }]);
    for (const { valueFrom } of container.env!) {
      const { name, key } = valueFrom!.secretKeyRef!;
      expect(secretValue(name!, key)).toBeDefined();
    }
    const { secret } = pod.volumes!.find(({ name }) => name === container.volumeMounts![0]!.name)!;
    const [, folder, file] = /^(.+)\/([^/]+)$/.exec(variables['REDIS_PASSWORD_FILE']!)!;
    expect(container.volumeMounts![0]!.mountPath).toBe(folder);
    expect(secretValue(secret!.secretName!, file!)).toBeDefined();
    const program = container.command!.at(-1)!;
    expect(
      existsSync(new URL(`../../${program.replace('/dist', '').replace('.js', '.ts')}`, import.meta.url)),
    ).toBe(true);
  });

  it('hold no secret, but what stands in its place', () => {
    const values = secrets.flatMap(({ stringData }) => Object.values(stringData!));
    expect(new Set(values)).toEqual(new Set(['change-me']));
  });

  it('leave time to shut down', () => {
    const before = container.lifecycle!.preStop!.sleep!.seconds + seconds(variables['SHUTDOWN_DELAY']!);
    expect(pod.terminationGracePeriodSeconds! * 1_000).toBeGreaterThanOrEqual(before * 1_000 + TO_CLOSE);
  });

  describe('in a running Atlas', () => {
    let server: RedisServer;
    let atlas: RunningAtlas;

    beforeAll(async () => {
      server = await startRedis();
      atlas = await RunningAtlas.start({ redis: server.options });
    });

    afterAll(async () => {
      await atlas?.close();
      await server?.stop();
    });

    it('name paths that are answered', async () => {
      const paths = [...probes.map(({ httpGet }) => httpGet!.path!), annotations['prometheus.io/path']!];
      const answers = await Promise.all(paths.map((path) => fetch(atlas.url + path)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    });
  });
});
