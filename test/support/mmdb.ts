/**
 * Writes small databases of places, after the MaxMind DB file format 2.0: a binary tree over the bits of IPv6 addresses (IPv4 ones
 * under ::/96), its records 24 bits wide, then the data, then the metadata.
 */
import ipaddr from 'ipaddr.js';

type Value = string | number | readonly Value[] | { readonly [name: string]: Value };

/** A tree: two children, or the index of an entry, or nothing. */
type Node = { readonly children: [Node | number | null, Node | number | null] };

/** `entries`: networks like `203.0.113.0/24` with what is known of them. */
export function mmdb(entries: Readonly<Record<string, Value>>): Buffer {
  const root: Node = { children: [null, null] };
  const data: Buffer[] = [];
  const offsets: number[] = [];
  for (const [network, value] of Object.entries(entries)) {
    offsets.push(data.reduce((sum, part) => sum + part.length, 0));
    data.push(encode(value));
    insert(root, bitsOf(network), offsets.length - 1);
  }
  const nodes = flatten(root);
  const record = (child: Node | number | null) => {
    if (child === null) return nodes.length;
    return typeof child === 'number' ? nodes.length + 16 + (offsets[child] ?? 0) : nodes.indexOf(child);
  };
  const tree = nodes.flatMap(({ children }) => children.map((child) => record(child)));
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_790_000_000,
    database_type: 'Test-City',
    description: { en: 'Made for a test' },
    ip_version: 6,
    languages: ['en', 'de'],
    node_count: nodes.length,
    record_size: 24,
  };
  return Buffer.concat([
    ...tree.map((value) => Buffer.from([value >> 16, (value >> 8) & 255, value & 255])),
    Buffer.alloc(16),
    ...data,
    Buffer.from('abcdef', 'hex'),
    Buffer.from('MaxMind.com'),
    encode(metadata),
  ]);
}

function bitsOf(network: string): readonly number[] {
  const [address, length] = ipaddr.parseCIDR(network);
  const bytes =
    address.kind() === 'ipv4' ? [...Array(12).fill(0), ...address.toByteArray()] : address.toByteArray();
  const bits = bytes.flatMap((byte: number) => [...byte.toString(2).padStart(8, '0')].map(Number));
  return bits.slice(0, address.kind() === 'ipv4' ? 96 + length : length);
}

function insert(root: Node, bits: readonly number[], entry: number): void {
  let node = root;
  for (const [at, bit] of bits.entries()) {
    const side = bit === 0 ? 0 : 1;
    if (at === bits.length - 1) node.children[side] = entry;
    else {
      const next = node.children[side];
      const child: Node = typeof next === 'object' && next !== null ? next : { children: [null, null] };
      node.children[side] = child;
      node = child;
    }
  }
}

function flatten(node: Node): Node[] {
  return [
    node,
    ...node.children.flatMap((child) => (typeof child === 'object' && child ? flatten(child) : [])),
  ];
}

/** Types: 2 text, 7 map, 6 whole number of 32 bits, 11 array (written as an extended type). */
function encode(value: Value): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), bytes]);
  }
  if (Array.isArray(value))
    return Buffer.concat([control(11, value.length), ...value.map((one) => encode(one))]);
  const members = Object.entries(value as Record<string, Value>);
  return Buffer.concat([
    control(7, members.length),
    ...members.flatMap(([name, one]) => [encode(name), encode(one)]),
  ]);
}

function control(type: number, size: number): Buffer {
  const [short, rest] = size < 29 ? [size, []] : [29, [size - 29]];
  return type > 7 ? Buffer.from([short, type - 7, ...rest]) : Buffer.from([(type << 5) | short, ...rest]);
}
