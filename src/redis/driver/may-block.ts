/** Commands that may wait for as long as their caller likes. */
const BLOCKING = /^(?:b[lrz]\w*pop\w*|blmove|wait(?:aof)?)$/i;

/** Whether the reply of a command may come late though the server is well. */
export function mayBlock({ name, args }: { name: string; args: unknown[] }): boolean {
  if (!/^xread/i.test(name)) return BLOCKING.test(name);
  return args.some((argument) => String(argument).toUpperCase() === 'BLOCK');
}
