import { compare, type Measured, type Schedule } from '../support/rounds.js';
import { timeBeside, type Goal, type Table } from '../support/report.js';
import { keyNamed, openApplication, plaintextOf } from './application.js';
import { check } from './check.js';
import { byProcessor, figuresOf, TimedContender } from './processor-time.js';
import { openSubjects, type Setting, type SubjectGroups } from './subjects/index.js';
import type { Sealed, Subject } from './subjects/subject.js';

/** Short turns: what interrupts one of them is not in the median. */
const schedule: Schedule = { rounds: 61, milliseconds: 20 };
const sizes = [64, 1_024, 16_384];
/** Of each size; a power of two. */
const MESSAGES = 64;
/** Of the processor time of the construction by hand: all is done in this thread, so that it is the time on a machine that does nothing else. */
const MOST = 1.1;

const setting: Setting = {
  key: keyNamed('messages'),
  namespace: 'bench-messages',
  context: 'document:4711',
};

const goalOf: Readonly<Record<keyof SubjectGroups, (measured: readonly Measured[]) => Goal[]>> = {
  xaes: (measured) => [timeBeside(measured, 'bare XAES-256-GCM', MOST)],
  committing: (measured) => [timeBeside(measured, 'bare committing suite', MOST, 'rednest, committing')],
  others: () => [],
};

/** Encryption and decryption of what the application has, without Redis. */
export async function* messages(): AsyncGenerator<Table> {
  const { key, namespace } = setting;
  const xaes = await openApplication({ key, namespace });
  const committing = await openApplication({ key, namespace, suite: 'committing-aes-256-gcm' });
  try {
    const services = { xaes: xaes.encryption, committing: committing.encryption };
    const groups = await openSubjects(services, setting);
    for (const size of sizes) {
      const plaintexts = Array.from({ length: MESSAGES }, (_, index) => plaintextOf(size, index));
      await check(groups, plaintexts);
      for (const [name, subjects] of Object.entries(groups) as [keyof SubjectGroups, readonly Subject[]][]) {
        const goal = goalOf[name];
        yield await measure(`Encrypt ${size} bytes`, encryption(subjects, plaintexts), goal);
        yield await measure(`Decrypt ${size} bytes`, await decryption(subjects, plaintexts), goal);
      }
    }
  } finally {
    await Promise.all([xaes.close(), committing.close()]);
  }
}

function encryption(subjects: readonly Subject[], plaintexts: readonly Buffer[]): TimedContender[] {
  return subjects.map((subject) =>
    contenderFor(subject.name, plaintexts, (plaintext) => subject.encrypt(plaintext)),
  );
}

async function decryption(
  subjects: readonly Subject[],
  plaintexts: readonly Buffer[],
): Promise<TimedContender[]> {
  const contenders: TimedContender[] = [];
  for (const subject of subjects) {
    const sealed = await Promise.all(plaintexts.map(async (plaintext) => subject.encrypt(plaintext)));
    contenders.push(contenderFor(subject.name, sealed, (each: Sealed) => subject.decrypt(each)));
  }
  return contenders;
}

async function measure(
  title: string,
  contenders: readonly TimedContender[],
  goals: (measured: readonly Measured[]) => Goal[],
): Promise<Table> {
  const measured = await compare(contenders, schedule);
  return { title, figures: figuresOf(contenders, measured), goals: goals(byProcessor(contenders, measured)) };
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
