// @ts-check
/** One line that says what is going on: rewritten on a terminal, a line each elsewhere. */

/** @param {NodeJS.WriteStream} stream */
export function createProgress(stream) {
  const started = Date.now();
  return {
    /** @param {string} text */
    show(text) {
      const seconds = String(Math.round((Date.now() - started) / 1000)).padStart(3);
      const line = `${seconds} s  ${text}`;
      stream.write(stream.isTTY ? `\r\x1b[K${line.slice(0, stream.columns - 1)}` : `${line}\n`);
    },
    clear() {
      if (stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}
