/**
 * Durable storage for oidc-provider: one table in an SQLite file, WAL with synchronous=FULL, every statement prepared once, what
 * expired deleted in batches. Each call is a transaction of its own: that is what oidc-provider's adapter interface offers.
 */

const sweep_ms = 5_000;
const sweep_rows = 500;

/** Makes the table, starts the sweeper and gives the adapter factory that oidc-provider asks for. */
export function createAdapter(database) {
  database.exec(`create table if not exists models (
    model text not null, id text not null, payload text not null, grant_id text, uid text, user_code text,
    consumed_at integer, expires_at integer, primary key (model, id)) without rowid;
    create index if not exists models_grant_id on models (model, grant_id) where grant_id is not null;
    create index if not exists models_uid on models (uid) where uid is not null;
    create index if not exists models_expires_at on models (expires_at) where expires_at is not null;`);

  const upsert =
    database.prepare(`insert into models (model, id, payload, grant_id, uid, user_code, expires_at)
    values (?, ?, ?, ?, ?, ?, ?) on conflict (model, id) do update set payload = excluded.payload,
    grant_id = excluded.grant_id, uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`);
  const find = (column) =>
    database.prepare(
      `select payload, consumed_at from models where model = ? and ${column} = ? and (expires_at is null or expires_at > ?)`,
    );
  const findById = find('id');
  const findByUid = find('uid');
  const findByUserCode = find('user_code');
  const consume = database.prepare('update models set consumed_at = ? where model = ? and id = ?');
  const destroy = database.prepare('delete from models where model = ? and id = ?');
  const revoke = database.prepare('delete from models where model = ? and grant_id = ?');
  const sweep = database.prepare(`delete from models where (model, id) in
    (select model, id from models where expires_at <= ? limit ${sweep_rows})`);
  setInterval(() => sweep.run(now()), sweep_ms).unref();

  return (model) => ({
    async upsert(id, payload, expiresIn) {
      const { grantId = null, uid = null, userCode = null } = payload;
      upsert.run(
        model,
        id,
        JSON.stringify(payload),
        grantId,
        uid,
        userCode,
        expiresIn ? now() + expiresIn : null,
      );
    },
    find: async (id) => read(findById.get(model, id, now())),
    findByUid: async (uid) => read(findByUid.get(model, uid, now())),
    findByUserCode: async (user_code) => read(findByUserCode.get(model, user_code, now())),
    async consume(id) {
      consume.run(now(), model, id);
    },
    async destroy(id) {
      destroy.run(model, id);
    },
    async revokeByGrantId(grant_id) {
      revoke.run(model, grant_id);
    },
  });
}

function read(row) {
  if (row === undefined) return undefined;
  const payload = JSON.parse(row.payload);
  return row.consumed_at === null ? payload : { ...payload, consumed: row.consumed_at };
}

function now() {
  return Math.floor(Date.now() / 1000);
}
