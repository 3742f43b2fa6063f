import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, readLines } from '../../src/cli/lines.js';
import { progressOn } from '../../src/cli/progress.js';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function linesOf(bytes: Buffer, size: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of readLines(inChunks(bytes, size))) lines.push(line);
  return lines;
}

test('a stream has the same lines however it is cut', async () => {
  const text = fc.array(
    fc.string({ unit: 'grapheme', maxLength: 8 }).filter((line) => !/[\r\n\ufeff]/.test(line)),
  );
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('\n', '\r\n'),
      async (rows, size, end) => {
        const bytes = Buffer.from(rows.map((row) => row + end).join(''));
        const lines = await linesOf(bytes, size);
        expect(lines.map((line) => line.text)).toEqual(rows);
        expect(lines.map((line) => line.number)).toEqual(rows.map((_, i) => i + 1));
        if (rows.length > 0) expect(lines.at(-1)?.offset).toBe(bytes.length);
      },
    ),
    { numRuns: 100 },
  );
});

test('a line longer than a mebibyte has no text, and holds no memory; the next one is read', async () => {
  const lines = await linesOf(Buffer.from(`${'x'.repeat(3_000_000)}\nabc`), 65_536);
  expect(lines.map(({ text }) => text)).toEqual([null, 'abc']);
});

test('progress is one line on a terminal, and nothing elsewhere', () => {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  const quiet = progressOn({ isTTY: false, write }, 100);
  quiet.show(50, 5);
  quiet.end();
  expect(written).toEqual([]);

  const shown = progressOn({ isTTY: true, write }, 100);
  shown.show(50, 12_345);
  shown.show(100, 20_000);
  shown.end();
  expect(written[0]).toBe('\r\u001b[K[###############               ]  50 % 12,345 lines');
  expect(written[1]).toContain('[##############################] 100 %');
  expect(written.join('')).not.toContain('\n');
  progressOn({ isTTY: true, write }, null).show(10, 7);
  expect(written.at(-1)).toBe('\r\u001b[K7 lines');
});
