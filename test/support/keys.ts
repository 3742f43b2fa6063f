/** What an application sees of the server's keys, and how long they live with the usual settings. */
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import type { TestIdp } from './idp.js';

/** Twice the JWK Set's max-age of 300 s. */
export const lead = 600;
/** The longest token lives 600 s; and a minute for clocks that differ. */
export const kept = 660;
export const rotation = 90 * 86_400;

export async function jwkSet(idp: TestIdp): Promise<JSONWebKeySet> {
  return (await idp.fetch('/jwks')).json() as Promise<JSONWebKeySet>; // what jose takes it for
}

export async function publishedKids(idp: TestIdp): Promise<string[]> {
  const signing = (await jwkSet(idp)).keys.filter(({ use }) => use === 'sig');
  return signing.map(({ kid = '' }) => kid).toSorted();
}

/** Whether an application that fetches the JWK Set now can verify a token. */
export async function verifies(idp: TestIdp, jwt: string): Promise<boolean> {
  const options = { issuer: idp.issuer, currentDate: new Date(idp.now() * 1000) };
  return jwtVerify(jwt, createLocalJWKSet(await jwkSet(idp)), options).then(
    () => true,
    () => false,
  );
}

/** The kid of the key that signed it. */
export const signedBy = (jwt: string) => decodeProtectedHeader(jwt).kid;
