import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { revokeSession } from '../../src/actions/sessions.js';
import { cleanup } from '../../src/jobs/cleanup.js';
import type { OutboxRow } from '../../src/store/outbox.js';
import { statement } from '../../src/store/statement.js';
import { engines } from '../support/database.js';
import { startSite } from '../support/first_party.js';

const everyRow = statement<object, OutboxRow>((sql) => sql('outbox'));

test.each(engines)(
  'an application that signed somebody in itself is told the end of a session that outlived its tokens, on %s',
  async (engine) => {
    const { idp, signIn } = await startSite({
      engine,
      settings: { REFRESH_TOKEN_SECONDS: '3600' },
      metadata: { backchannel_logout_uri: 'https://site.example/backchannel-logout' },
    });
    const { access_token } = await signIn();
    const sid = String(decodeJwt(access_token).sid);
    idp.advance(12 * 3600); // its tokens were good for an hour, the session is for a day
    await cleanup.run(idp.deps, idp.now(), new AbortController().signal);
    await revokeSession(idp.deps, sid, idp.now());
    expect(await idp.db.all(everyRow, {})).toMatchObject([{ client_id: 'site', sid }]);
  },
);
