/** Texts for properties, biased towards what hurts. Cheaper to set up than fast-check's own units of the whole of Unicode. */
import fc from 'fast-check';

const hostile = [...'\0\t\r\n "\'\\<>&%+=#?/@:;*.~\x7f\u0080\u00a0\u00e9\u202e\u2028\ufeff\uffff'];

const unit = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) },
  { weight: 2, arbitrary: fc.constantFrom(...hostile) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) },
  { weight: 1, arbitrary: fc.constantFrom('🚪', '👩‍🚀', 'Ä', '一', '%c3', '%00', '%zz', 'javascript:') },
);

/** Anything that a string can hold, halves of surrogate pairs and U+0000 too. */
export function anyText(maxLength = 60): fc.Arbitrary<string> {
  return fc.array(unit, { maxLength }).map((units) => units.join(''));
}

/** Anything that a parameter may hold: no U+0000, no half of a surrogate pair, and not empty. */
export function parameterText(maxLength = 60): fc.Arbitrary<string> {
  return anyText(maxLength)
    .map((text) => Buffer.from(text).toString().replaceAll('\0', ''))
    .filter((text) => text !== '');
}
