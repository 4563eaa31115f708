/** A process that holds leases and does nothing else; see idle.ts. */
import { runInFlight } from '../../support/in-flight.js';
import { subjects, type SubjectName } from '../subjects/index.js';

const [name, url, leases] = process.argv.slice(2) as [SubjectName, string, string];

const subject = await subjects[name]({ url, namespace: `bench-idle-${name}` });
await runInFlight(Number(leases), 64, (index) => subject.keep!(`tour:${index}`));
let began = process.cpuUsage();

/** Answers with its processor time since the answer before, in microseconds. */
process.on('message', () => {
  const { user, system } = process.cpuUsage(began);
  began = process.cpuUsage();
  process.send!(user + system);
});
process.send!('holds');
// Its leases are not released one by one: their time passes.
process.on('disconnect', () => process.exit());
