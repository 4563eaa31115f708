/** Ctrl-C came before there was anything to tell. */
export class StoppedError extends Error {
  readonly code = 'STOPPED';

  constructor() {
    super('Stopped');
    this.name = new.target.name;
  }
}
