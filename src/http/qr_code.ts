/** QR codes (ISO/IEC 18004) as pictures that need no request: SVG in a data: URL, which the CSP of pages allows for images. */

/** The address of a picture. Dark on light with its quiet zone, also on a dark page: scanners want it so. */
export async function qrCode(text: string): Promise<string> {
  const { toString: toSvg } = await import('qrcode'); // by the first: a start does without
  const svg = await toSvg(text, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 });
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
