/** What a command was given and cannot use. Only the command line says it, in English, and exits 1. */
export class InputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InputError';
  }
}
