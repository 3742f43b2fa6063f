/** A database that notes what is asked of it, for tests that compare the work of two ways. */
import type { Db, Queryable } from '../../src/store/db.js';

/** The same database, noting which statements are run. */
export function recording(inner: Db): { readonly db: Db; readonly statements: unknown[] } {
  const statements: unknown[] = [];
  function noting(queryable: Queryable): Queryable {
    return {
      all(statement, values) {
        statements.push(statement);
        return queryable.all(statement, values);
      },
      first(statement, values) {
        statements.push(statement);
        return queryable.first(statement, values);
      },
      run(statement, values) {
        statements.push(statement);
        return queryable.run(statement, values);
      },
    };
  }
  const transaction: Db['transaction'] = (work) =>
    inner.transaction((trx) => work({ ...trx, ...noting(trx) }));
  return { db: { ...inner, ...noting(inner), transaction }, statements };
}
