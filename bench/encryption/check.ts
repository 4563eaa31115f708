import type { Sealed, Subject } from './subjects/subject.js';

/**
 * What is measured has to do what it says: give back what was encrypted, refuse what was altered where it authenticates, and read what is
 * of the same construction.
 *
 * @throws Error
 */
export async function check(subjects: readonly Subject[], plaintexts: readonly Buffer[]): Promise<void> {
  for (const subject of subjects)
    for (const plaintext of plaintexts) await checkOne(subject, plaintext, subject);
  const [plaintext] = plaintexts as [Buffer];
  for (const [one, other] of sameConstruction(subjects)) {
    await checkOne(one, plaintext, other);
    await checkOne(other, plaintext, one);
  }
}

async function checkOne(from: Subject, plaintext: Buffer, to: Subject): Promise<void> {
  const sealed = await from.encrypt(plaintext);
  const opened = await to.decrypt(sealed);
  if (!opened.equals(plaintext)) throw new Error(`${to.name} does not give back what ${from.name} encrypted`);
  if (to.authenticates && !(await refuses(to, altered(sealed))))
    throw new Error(`${to.name} takes what was altered`);
}

async function refuses(subject: Subject, sealed: Sealed): Promise<boolean> {
  try {
    await subject.decrypt(sealed);
    return false;
  } catch {
    return true;
  }
}

function altered(sealed: Sealed): Sealed {
  if (typeof sealed === 'string') return sealed.slice(0, -1) + (sealed.endsWith('A') ? 'B' : 'A');
  const copy = Buffer.from(sealed);
  copy[copy.length >> 1]! ^= 1;
  return copy;
}

function sameConstruction(subjects: readonly Subject[]): [Subject, Subject][] {
  const named = (name: string) => subjects.find((subject) => subject.name === name)!;
  return [
    [named('rednest'), named('bare XAES-256-GCM')],
    [named('rednest'), named('bare XAES-256-GCM, much of it kept')],
    [named('rednest, committing'), named('bare committing suite')],
  ];
}
