/** A stream as lines, one after the other: however long it is, no more than one line and one chunk is held. */

/** A line may be so long, in bytes: a person with all there is to say of them has a few thousand. */
const longest = 1_048_576;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Null where it is longer than a mebibyte, or not UTF-8. */
  readonly text: string | null;
  /** How many bytes of the stream were read up to its end. */
  readonly offset: number;
}

/** Lines end with LF or CR LF, the last one with the end of the stream. A byte order mark before the first is dropped. */
export async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const parts: Uint8Array[] = []; // of the line that has not ended
  let held = 0;
  let number = 0;
  let offset = 0;

  function hold(part: Uint8Array): void {
    held += part.length;
    if (held <= longest) parts.push(part);
  }

  function take(): Line {
    const text = held > longest ? null : decoded(Buffer.concat(parts));
    parts.length = 0;
    held = 0;
    number += 1;
    return { number, text, offset };
  }

  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      hold(chunk.subarray(start, end));
      offset += end + 1 - start;
      start = end + 1;
      yield take();
    }
    hold(chunk.subarray(start));
    offset += chunk.length - start;
  }
  if (held > 0) yield take();
}

function decoded(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r$/, '');
  } catch {
    return null; // the line says so by having no text
  }
}
