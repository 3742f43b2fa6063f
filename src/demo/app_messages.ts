/** What an app says when a sign-in ends in another way than it began, and after signing out. */
import type { SignInError } from '../relying_party/sign_in/index.js';
import type { Message } from './site.js';

/** Said once, at the top of the next page. */
export const notices = {
  still_signed_in:
    'Yes, you are still signed in. The server answered without showing a page, with new tokens.',
  signed_in_silently: 'You are signed in: the server knew you, and showed no page.',
  signed_out_elsewhere:
    'You are not signed in any more: you signed out elsewhere, and Sallyport told this app. So you are signed out here, too.',
  not_silently:
    'The server did not sign you in without a page: nobody is signed in there, or it has a question for you first.',
  signed_out_here: 'You are signed out here, and only here: to sign in again takes no password.',
  question_first: 'The server has a question for you first. Sign in to answer it.',
};

/** The sign-in package has a sentence for each; who chose not to go on has done nothing wrong. RFC 6749 §4.1.2.1. */
export function failureOf({ code, error, message, status }: SignInError): Message {
  if (error === 'access_denied') {
    const text =
      'You chose not to go on, so nothing was shared with this app. You can sign in whenever you like.';
    return { status: 200, heading: 'You are not signed in', text, detail: error };
  }
  const heading = code === 'cross_site' ? 'This form is not from here' : 'The sign\u2011in did not work';
  const detail = error === undefined ? code : `${code}: ${error}`;
  return { status, heading, text: message, detail };
}

export function signedOutFrom(other: string): Message {
  const text = `Here, and at the identity server, which tells ${other} at once: open it, and you are signed out there, too. The API refuses the access tokens of both apps from now on.`;
  return { status: 200, heading: 'You are signed out', text };
}
