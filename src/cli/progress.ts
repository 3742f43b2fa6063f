/** How far a long command is, on a terminal: one line that is written over and over. Elsewhere nothing. */

export interface Progress {
  /** `done` of the size that was given, and how many lines that was. */
  show(done: number, lines: number): void;
  /** Wipes the line away. */
  end(): void;
}

const width = 30;

/** `size`: what `done` will be in the end; null where nobody knows, as on standard input. */
export function progressOn(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>,
  size: number | null,
): Progress {
  if (!stream.isTTY) return { show: () => {}, end: () => {} };
  return {
    show(done, lines) {
      const share = size === null || size === 0 ? null : Math.min(done / size, 1);
      stream.write(`\r\u001b[K${share === null ? '' : `${bar(share)} `}${lines.toLocaleString('en')} lines`);
    },
    end: () => void stream.write('\r\u001b[K'),
  };
}

function bar(share: number): string {
  const full = Math.floor(share * width);
  return `[${'#'.repeat(full)}${' '.repeat(width - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}
