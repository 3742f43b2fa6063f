// Answers an application whether its sign-in has changed (OpenID Connect Session Management §3.2). It asks nobody: what it needs is in
// the question and in a cookie. The origin that asks is part of the hash, and the server makes hashes for origins of registered redirect
// URIs alone, so that no other site ever hears "unchanged", with whatever it copied.
const question = /^([\x21-\x7e]{1,255}) ([\w-]{43})\.([\w-]{22})$/;

window.addEventListener('message', ({ data, origin, source }) => {
  if (!isFromAround(source) || origin === 'null') return;
  judge(data, origin)
    .catch(() => 'error')
    .then((answer) => source.postMessage(answer, origin));
});

// The page this frame is in, or another frame of it, as in the specification's example.
function isFromAround(source) {
  return window.parent !== window && (source === window.parent || source?.parent === window.parent);
}

async function judge(data, origin) {
  const [, client_id, hash, salt] = (typeof data === 'string' && question.exec(data)) || [];
  // Where the browser hides our cookies from frames nothing is known, and "changed" would sign everybody out: an application that
  // hears "error" leaves it at that (§3.1).
  if (salt === undefined || (await document.hasStorageAccess?.()) === false) return 'error';
  const [, state] = /(?:^|; )__Host-sallyport_browser_state=([\w-]{43})(?:;|$)/.exec(document.cookie) ?? [];
  if (state === undefined) return 'changed';
  return hash === (await digest(`${client_id} ${origin} ${state} ${salt}`)) ? 'unchanged' : 'changed';
}

// SHA-256, base64url without padding.
async function digest(text) {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
