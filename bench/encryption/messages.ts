import { compare, type Schedule } from '../support/rounds.js';
import { timeBeside, type Table } from '../support/report.js';
import { keyNamed, openApplication, plaintextOf } from './application.js';
import { check } from './check.js';
import { figuresOf, TimedContender } from './processor-time.js';
import { openSubjects, type Setting } from './subjects/index.js';
import type { Sealed, Subject } from './subjects/subject.js';

/** Short turns: what interrupts one of them is not in the median. */
const schedule: Schedule = { rounds: 61, milliseconds: 20 };
const sizes = [64, 1_024, 16_384];
/** Of each size; a power of two. */
const MESSAGES = 64;
/** Of the construction by hand. */
const MOST = 1.1;

const setting: Setting = {
  key: keyNamed('messages'),
  namespace: 'bench-messages',
  context: 'document:4711',
};

/** Encryption and decryption of what the application has, without Redis. */
export async function* messages(): AsyncGenerator<Table> {
  const { key, namespace } = setting;
  const xaes = await openApplication({ key, namespace });
  const committing = await openApplication({ key, namespace, suite: 'committing-aes-256-gcm' });
  try {
    const services = { xaes: xaes.encryption, committing: committing.encryption };
    const subjects = await openSubjects(services, setting);
    for (const size of sizes) {
      const plaintexts = Array.from({ length: MESSAGES }, (_, index) => plaintextOf(size, index));
      await check(subjects, plaintexts);
      yield await measureEncryption(subjects, plaintexts);
      yield await measureDecryption(subjects, plaintexts);
    }
  } finally {
    await Promise.all([xaes.close(), committing.close()]);
  }
}

function measureEncryption(subjects: readonly Subject[], plaintexts: readonly Buffer[]): Promise<Table> {
  const contenders = subjects.map((subject) =>
    contenderFor(subject.name, plaintexts, (plaintext) => subject.encrypt(plaintext)),
  );
  return measure(`Encrypt ${plaintexts[0]!.length} bytes`, contenders);
}

async function measureDecryption(
  subjects: readonly Subject[],
  plaintexts: readonly Buffer[],
): Promise<Table> {
  const contenders: TimedContender[] = [];
  for (const subject of subjects) {
    const sealed = await Promise.all(plaintexts.map(async (plaintext) => subject.encrypt(plaintext)));
    contenders.push(contenderFor(subject.name, sealed, (each: Sealed) => subject.decrypt(each)));
  }
  return measure(`Decrypt ${plaintexts[0]!.length} bytes`, contenders);
}

async function measure(title: string, contenders: readonly TimedContender[]): Promise<Table> {
  const measured = await compare(contenders, schedule);
  const goals = [
    timeBeside(measured, 'bare XAES-256-GCM', MOST),
    timeBeside(measured, 'bare committing suite', MOST, 'rednest, committing'),
  ];
  return { title, figures: figuresOf(contenders, measured), goals };
}

/** Only what returns a promise is awaited: that alone would be a part of the time of the others. */
function contenderFor<T>(name: string, inputs: readonly T[], work: (input: T) => unknown): TimedContender {
  const mask = inputs.length - 1;
  const run = async (operations: number): Promise<void> => {
    for (let index = 0; index < operations; index++) {
      const result = work(inputs[index & mask]!);
      if (result instanceof Promise) await result;
    }
  };
  return new TimedContender({ name, run });
}
