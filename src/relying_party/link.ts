/** The Link header. RFC 8288 §3. */

const link = /<([^<>]*)>([^<]*)/g;
const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/i;

/** The absolute address of the first link with a relation; undefined where there is none. `base` is what was asked for. */
export function linkOf(headers: Headers, rel: string, base: string): string | undefined {
  for (const [, target = '', parameters = ''] of (headers.get('link') ?? '').matchAll(link)) {
    const [, quoted, token = ''] = relation.exec(parameters) ?? [];
    const relations = (quoted ?? token).toLowerCase().split(/\s+/);
    if (relations.includes(rel) && URL.canParse(target, base)) return new URL(target, base).href;
  }
  return undefined;
}
