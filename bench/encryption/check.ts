import type { SubjectGroups } from './subjects/index.js';
import type { Sealed, Subject } from './subjects/subject.js';

/**
 * What is measured has to do what it says: give back what was encrypted, refuse what was altered where it authenticates, and read what is
 * of the same construction.
 *
 * @throws Error
 */
export async function check(groups: SubjectGroups, plaintexts: readonly Buffer[]): Promise<void> {
  const subjects = [...groups.xaes, ...groups.committing, ...groups.others];
  for (const subject of subjects)
    for (const plaintext of plaintexts) await checkOne(subject, plaintext, subject);
  const [plaintext] = plaintexts as [Buffer];
  for (const [one, other] of sameConstruction(groups)) {
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

function sameConstruction({ xaes, committing }: SubjectGroups): [Subject, Subject][] {
  const [own, bare, kept] = xaes as [Subject, Subject, Subject];
  const [ownCommitting, bareCommitting] = committing as [Subject, Subject];
  return [
    [own, bare],
    [own, kept],
    [ownCommitting, bareCommitting],
  ];
}
