import { readFileSync } from 'node:fs';

type Guide = 'redis' | 'cache' | 'lock' | 'events' | 'encryption' | 'health' | 'diagnostics';

/** The rules of a guide's smallest ACL: the tests run under what the guide tells. */
export function guideAcl(guide: Guide = 'redis'): string {
  return firstAcl(textOf(guide), `docs/${guide}.md`);
}

/** The same for one of the adapters, which share a guide. */
export function adapterAcl(adapter: 'sessions' | 'rate limits' | 'job queues'): string {
  const heading = `### ACL of ${adapter}\n`;
  return firstAcl(textOf('adapters').split(heading)[1] ?? '', `'${heading.trim()}' in docs/adapters.md`);
}

function firstAcl(text: string, place: string): string {
  const block = /```acl\n([^`]+)```/.exec(text)?.[1];
  if (block === undefined) throw new Error(`${place} has no \`\`\`acl block`);
  return block.trim().split(/\s+/).join(' ');
}

function textOf(guide: string): string {
  return readFileSync(new URL(`../../docs/${guide}.md`, import.meta.url), 'utf8');
}

/** The line for a user of the guide's ACL and some commands of the application's own. */
export function userLine(commands: string, user = { username: 'app', password: 'guide-secret' }): string {
  return `${user.username} on >${user.password} ${commands} ${guideAcl()}`;
}

/** The rules that the guide gives for a user of the Sentinels. */
export function sentinelAcl(): string {
  const rules = /Sentinels have users of their own: `([^`]+)`/.exec(textOf('redis'))?.[1];
  if (rules === undefined) throw new Error('docs/redis.md has no rules for Sentinels');
  return rules;
}
