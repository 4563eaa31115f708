import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** Counts what clients send by themselves, so without what scripts call. It slows the server down. */
export async function countCommands(url: string, during: () => Promise<void>): Promise<number> {
  // The driver's monitor() fails where commands are reported in the moment in which it begins.
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = createInterface(socket);
  let count = 0;
  try {
    socket.write('MONITOR\r\n');
    await once(lines, 'line');
    lines.on('line', (line) => {
      if (isOfClient(line)) count++;
    });
    await during();
  } finally {
    socket.destroy();
  }
  return count;
}

/** As in `+1700000000.123456 [0 127.0.0.1:50000] "evalsha" …`; INFO is the benchmark's. */
function isOfClient(line: string): boolean {
  return /^\+[\d.]+ \[\d+ (?!lua\])\S+\] "(?!info")/i.test(line);
}
