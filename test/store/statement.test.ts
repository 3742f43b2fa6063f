import knexPackage from 'knex';
import { describe, expect, test } from 'vitest';
import { compile, statement } from '../../src/store/statement.js';

const sqlite = knexPackage({ client: 'sqlite3', useNullAsDefault: true });
const postgres = knexPackage({ client: 'pg' });
const both = [
  ['sqlite', sqlite],
  ['postgres', postgres],
] as const;

interface Values {
  a: string;
  b: number | null;
  now: number;
}

describe.each(both)('compiled for %s', (_, knex) => {
  const bound = (build: Parameters<typeof statement<Values>>[0]) =>
    compile(knex, statement<Values>(build)).bind({ a: 'A', b: null, now: 7 });

  test.each<[string, Parameters<typeof statement<Values>>[0], unknown[]]>([
    ['where', (sql, value) => sql('t').where({ b: value.b, a: value.a }), [null, 'A']],
    ['a comparison', (sql, value) => sql('t').where('b', '<', value.now), [7]],
    ['where in', (sql, value) => sql('t').whereIn('b', [value.now, value.a]), [7, 'A']],
    ['where between', (sql, value) => sql('t').whereBetween('b', [value.b, value.now]), [null, 7]],
    ['insert', (sql, value) => sql('t').insert({ z: value.a, b: value.b, a: value.now }), [7, null, 'A']],
    ['insert of many', (sql, value) => sql('t').insert([{ a: value.a }, { a: value.now }]), ['A', 7]],
    ['update', (sql, value) => sql('t').where('a', value.a).update({ b: value.b }), [null, 'A']],
    ['raw', (sql, value) => sql.raw('select ?, ?', [value.now, value.a]), [7, 'A']],
    ['named raw', (sql, value) => sql.raw('select :x, :y, :x', { x: value.a, y: value.now }), ['A', 7, 'A']],
    ['raw inside update', (sql, value) => sql('t').update({ b: sql.raw('b + ?', [value.now]) }), [7]],
    [
      'merge',
      (sql, value) => sql('t').insert({ a: value.a }).onConflict('a').merge({ b: value.now }),
      ['A', 7],
    ],
    ['returning', (sql, value) => sql('t').insert({ a: value.a }).returning('*'), ['A']],
    [
      'a subquery',
      (sql, value) => sql('t').whereIn('a', sql('u').select('a').where('b', value.now)).delete(),
      [7],
    ],
    [
      'with',
      (sql, value) => sql.with('u', sql('t').where('a', value.a)).from('u').where('b', value.now),
      ['A', 7],
    ],
    ['constants', (sql, value) => sql('t').where('x', 1).where('a', value.a).limit(500), [1, 'A', 500]],
    ['the same twice', (sql, value) => sql('t').where('a', value.a).orWhere('b', value.a), ['A', 'A']],
  ])('binds values by name in %s', (_name, build, expected) => {
    expect(bound(build)).toEqual(expected);
  });

  test.each<[string, boolean, Parameters<typeof statement<Values>>[0]]>([
    ['select', true, (sql) => sql('t')],
    ['first', true, (sql) => sql('t').first()],
    ['raw select', true, (sql) => sql.raw(' select 1')],
    ['raw with select', true, (sql) => sql.raw('with x as (select 1) select * from x')],
    ['insert', false, (sql) => sql('t').insert({ a: 1 })],
    ['update', false, (sql) => sql('t').update({ a: 1 })],
    ['delete', false, (sql) => sql('t').delete()],
    ['with and delete', false, (sql) => sql.with('x', sql('t')).from('t').delete()],
    ['raw insert', false, (sql) => sql.raw('insert into t values (1)')],
    ['raw with insert', false, (sql) => sql.raw('with x as (select 1) insert into t select * from x')],
    [
      'raw data-modifying with',
      false,
      (sql) => sql.raw('with x as (delete from t returning *) select * from x'),
    ],
    ['raw create', false, (sql) => sql.raw('create table t (a int)')],
    ['raw pragma', false, (sql) => sql.raw('pragma max_page_count')],
    ['select for update', false, (sql) => sql.raw('select * from t for update')],
  ])('knows if it may run on a reader: %s', (_name, reads, build) => {
    expect(compile(knex, statement<Values>(build)).reads).toBe(reads);
  });

  const find = statement<Values>((sql, value) => sql('t').where({ a: value.a, b: value.b }));

  test.each([
    ['missing', { b: 1 }, 'the value "a" is missing'],
    ['undefined', { a: undefined, b: 1 }, 'the value "a" is missing'],
    ['a boolean', { a: 'x', b: true }, 'the value "b" is neither'],
    ['an object', { a: 'x', b: {} }, 'the value "b" is neither'],
    ['a bigint', { a: 'x', b: 1n }, 'the value "b" is neither'],
    ['a Date', { a: 'x', b: new Date(0) }, 'the value "b" is neither'],
    ['not a number', { a: 'x', b: Number.NaN }, 'the value "b" is neither'],
    ['infinite', { a: 'x', b: Number.POSITIVE_INFINITY }, 'the value "b" is neither'],
  ])('refuses a value that is %s', (_name, values, message) => {
    expect(() => compile(knex, find).bind(values)).toThrow(message);
  });

  test('refuses at compile time a value that knex did not bind', () => {
    const limited = statement<{ n: number }>((sql, value) => sql('t').limit(value.n));
    const silent = knexPackage({ client: String(knex.client.config.client), log: { warn: () => undefined } });
    expect(() => compile(silent, limited)).toThrow('the value "n" is bound nowhere');
  });
});

test('says the same in the words of each engine', () => {
  const find = statement<Values>((sql, value) => sql('t').where({ a: value.a }).whereNull('b').limit(3));
  expect(compile(sqlite, find).sql).toBe('select * from `t` where `a` = ? and `b` is null limit ?');
  expect(compile(postgres, find).sql).toBe('select * from "t" where "a" = $1 and "b" is null limit $2');
});
