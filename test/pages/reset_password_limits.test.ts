/** How many mails for a new password may be asked for, and by whom. Hardening rows 14 and 15. */
import { describe, expect, test } from 'vitest';
import { formOf } from '../support/browser.js';
import { startIdp } from '../support/idp.js';
import { linkIn, mailRows } from '../support/mails.js';
import { ask, asked, reset } from '../support/reset.js';

/** People of many networks who ask for the same address. */
async function behindProxy(settings: Record<string, string> = {}) {
  const idp = await startIdp({ settings: { TRUSTED_PROXIES: '127.0.0.1', ...settings } });
  await idp.addUser();
  const browser = idp.browser();
  const form = { ...formOf((await browser.get('/forgot-password')).html).hidden, email: 'ada@example.com' };
  const from = (address: string) => browser.post('/forgot-password', form, { 'x-forwarded-for': address });
  return { idp, from };
}

describe('somebody who asks for links again and again', () => {
  test('sends an address no more than their share in half an hour, and the answer stays the same', async () => {
    const idp = await startIdp({ settings: { MAILS_PER_ADDRESS_AND_SOURCE: '2' } });
    await idp.addUser();
    const pages = [];
    for (let i = 0; i < 4; i += 1) pages.push((await ask(idp.browser())).html);
    expect(new Set(pages).size).toBe(1);
    expect(await mailRows(idp)).toHaveLength(2);
    idp.advance(1800);
    await ask(idp.browser());
    expect(await mailRows(idp)).toHaveLength(3);
  });

  test('does not use up the mails of the owner, who asks from another network (hardening 15)', async () => {
    const { idp, from } = await behindProxy();
    for (let i = 0; i < 8; i += 1) await from('198.51.100.7');
    const before = await mailRows(idp);
    expect(before).toHaveLength(3);
    await from('203.0.113.9');
    expect(await mailRows(idp)).toHaveLength(4);
  });

  test('from ever other networks sends no more than all may, and at every minute a link is good for the owner', async () => {
    const { idp, from } = await behindProxy({ MAILS_PER_ADDRESS: '4', MAILS_PER_ADDRESS_AND_SOURCE: '1' });
    for (let minute = 0; minute < 64; minute += 3) {
      for (let i = 0; i < 2; i += 1) await from(`10.${minute}.${i}.1`);
      const path = await linkIn(idp);
      expect((await idp.fetch(path)).status, `minute ${minute}`).toBe(200);
      idp.advance(179);
      expect((await idp.fetch(path)).status, `minute ${minute + 3}`).toBe(200);
      idp.advance(1);
    }
    expect(await mailRows(idp)).toHaveLength(12);
  });

  test('is answered 429 after their share, for addresses of nobody alike', async () => {
    const idp = await startIdp({ settings: { MAILS_PER_SOURCE: '3' } });
    await idp.addUser();
    const statuses = [];
    for (const email of ['a@x.example', 'ada@example.com', 'b@x.example', 'ada@example.com', 'c@x.example'])
      statuses.push((await ask(idp.browser(), email)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });

  test('leaves the links good that were sent before', async () => {
    const { idp, browser, path } = await asked();
    for (let i = 0; i < 8; i += 1) await ask(idp.browser());
    expect((await reset(browser, path)).html).toContain('Your password is set');
  });
});
