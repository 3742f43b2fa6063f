// Passkeys (Web Authentication). A form with data-passkey, its options as JSON, asks the browser for one and posts the answer as its
// field. It stays hidden where the browser has none. At a sign-in the browser also offers them in the field for the address.
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  );

const toBase64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

// parseCreationOptionsFromJSON() and toJSON() would do this, but not in browsers of two years ago.
const withBytes = (options) => {
  const known = (list) => list?.map((one) => ({ ...one, id: fromBase64url(one.id) }));
  const { challenge, user, allowCredentials, excludeCredentials } = options;
  return {
    ...options,
    challenge: fromBase64url(challenge),
    ...(user && { user: { ...user, id: fromBase64url(user.id) } }),
    ...(allowCredentials && { allowCredentials: known(allowCredentials) }),
    ...(excludeCredentials && { excludeCredentials: known(excludeCredentials) }),
  };
};

const asText = (credential) => {
  const { id, type, response } = credential;
  const members = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
  const there = members.filter((name) => response[name]);
  return JSON.stringify({
    ...{ id, rawId: id, type },
    response: {
      ...Object.fromEntries(there.map((name) => [name, toBase64url(response[name])])),
      ...(response.getTransports && { transports: response.getTransports() }),
    },
    clientExtensionResults: credential.getClientExtensionResults(),
  });
};

const passkeyForms = window.PublicKeyCredential ? document.querySelectorAll('form[data-passkey]') : [];

for (const form of passkeyForms) {
  const options = JSON.parse(form.dataset.passkey);
  const status = form.querySelector('[role=status]');
  let asked = new AbortController();

  // One question at a time: a new one ends the one before.
  const ask = async (mediation) => {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const publicKey = withBytes(options);
    const question = { publicKey, signal, ...(mediation && { mediation }) };
    const { credentials } = navigator;
    const answer = await (options.user ? credentials.create(question) : credentials.get(question));
    form.elements.passkey.value = asText(answer);
    form.submit();
  };

  const offer = async () => {
    const can = 'autofill' in form.dataset && (await PublicKeyCredential.isConditionalMediationAvailable?.());
    // Nobody asked for it, so nobody is told that it came to nothing.
    if (can) await ask('conditional').catch(() => {});
  };

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    status.textContent = '';
    try {
      await ask();
    } catch (error) {
      if (error.name === 'AbortError') return; // asked again meanwhile
      status.textContent = error.name === 'InvalidStateError' ? form.dataset.known : form.dataset.failed;
      offer();
    }
  });
  // What the browser signs is good for five minutes. Who comes back later to a page that was left alone finds a fresh one.
  const untouched = () =>
    [...document.querySelectorAll('input:not([type=hidden])')].every(
      (field) => field.value === field.defaultValue,
    );
  document.addEventListener('visibilitychange', () => {
    const old = performance.now() > 240_000;
    if (form.dataset.again && old && !document.hidden && untouched()) location.replace(form.dataset.again);
  });

  for (const part of [form, ...form.elements]) part.hidden = false;
  document.querySelector('[data-passkey-absent]')?.remove();
  offer();
}

// Tells the browser what has become of its passkeys, so that it offers none that do not work (WebAuthn §5.1.10).
for (const { dataset } of document.querySelectorAll('[data-passkey-signal]')) {
  const [method, told] = JSON.parse(dataset.passkeySignal);
  window.PublicKeyCredential?.[method]?.(told).catch(() => {});
}
