/** Table users, the claims of it that people may change themselves. OpenID Connect Core §5.1. */
import type { ProfileClaim } from '../oauth/profile_claims.js';
import type { Trx } from './db.js';
import { statement } from './statement.js';
import type { UserRow } from './users.js';

export type Profile = Pick<UserRow, ProfileClaim>;

interface Changed extends Profile {
  id: string;
  phone_number_verified: number | null;
  updated_at: number;
}

const updateOne = statement<Changed>((sql, value) =>
  sql('users').where({ id: value.id }).update({
    name: value.name,
    given_name: value.given_name,
    middle_name: value.middle_name,
    family_name: value.family_name,
    nickname: value.nickname,
    preferred_username: value.preferred_username,
    profile: value.profile,
    picture: value.picture,
    website: value.website,
    gender: value.gender,
    birthdate: value.birthdate,
    zoneinfo: value.zoneinfo,
    locale: value.locale,
    phone_number: value.phone_number,
    phone_number_verified: value.phone_number_verified,
    updated_at: value.updated_at,
  }),
);

/** Changes the claims of a user who is held (users.hold). */
export async function update(trx: Trx, changed: Changed): Promise<void> {
  await trx.run(updateOne, changed);
}
