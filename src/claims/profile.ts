/** scope=profile. OpenID Connect Core §5.4 and §5.1. */
import { type ClaimSet, present } from './claim_set.js';

export const profile: ClaimSet = {
  scope: 'profile',
  claims: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  consent: {
    title: 'claims.profile_title',
    details: ['claims.profile_name', 'claims.profile_links', 'claims.profile_more'],
  },

  resolve: (user) =>
    present({
      name: user.name,
      family_name: user.family_name,
      given_name: user.given_name,
      middle_name: user.middle_name,
      nickname: user.nickname,
      preferred_username: user.preferred_username,
      profile: user.profile,
      picture: user.picture,
      website: user.website,
      gender: user.gender,
      birthdate: user.birthdate,
      zoneinfo: user.zoneinfo,
      locale: user.locale,
      updated_at: user.updated_at,
    }),
};
