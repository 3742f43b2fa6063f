/**
 * An authenticator inside the browser, by the DevTools protocol (domain WebAuthn). Somebody touches it as soon as it asks, so the browser
 * fills in a passkey as soon as it may.
 */
import type { Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** Gives the browser of a tab an authenticator with room for passkeys, which finds out who is there. It answers in this tab alone. */
export async function plugIn(page: Page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  onTestFinished(async () => {
    await cdp.send('WebAuthn.disable');
    await cdp.detach();
  });
  return {
    /** Its passkeys are lost. */
    lose: () => cdp.send('WebAuthn.clearCredentials', { authenticatorId }),
    count: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  };
}
