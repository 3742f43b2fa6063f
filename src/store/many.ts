/** Many rows added by one statement, from a JSON array: for imports, where a statement a row would be most of the time. */
import { forPostgres, type Statement, statement } from './statement.js';

/**
 * An insert of all rows in `rows` (a JSON array of objects) that stand against nothing. Gives the ids of those that were added. `columns`
 * names every column, so that a new one is not forgotten.
 */
export function insertMany<Row extends { id: string }>(
  table: string,
  columns: Readonly<Record<keyof Row & string, true>>,
): Statement<{ rows: string }, { id: string }> {
  const names = Object.keys(columns);
  return statement((sql, value) => {
    const given = forPostgres(sql)
      ? sql
          .select(names)
          .from(sql.raw('json_populate_recordset(cast(null as ??), cast(? as json))', [table, value.rows]))
      : sql
          .select(names.map((name) => sql.raw('json_extract(value, ?)', [`$.${name}`])))
          .from(sql.raw('json_each(?)', [value.rows]));
    // `where true`: else SQLite takes `on conflict` for a part of the select.
    return sql.raw(
      'with given (??) as ? insert into ?? (??) select ?? from given where true on conflict do nothing returning ??',
      [names, given, table, names, names, 'id'],
    );
  });
}
