/** What an app says when a sign-in ends in another way than it began, and after signing out. */
import type { Message } from './site.js';

/** Said once, at the top of the next page. */
export const notices = {
  still_signed_in:
    'Yes, you are still signed in. The server answered without showing a page, with new tokens.',
  signed_in_silently: 'You are signed in: the server knew you, and showed no page.',
  signed_out_elsewhere:
    'You are not signed in any more: you signed out elsewhere. So you are signed out here, too.',
  nobody_there: 'Nobody is signed in at the server, so nobody is signed in here.',
  signed_out_here: 'You are signed out here, and only here: to sign in again takes no password.',
  question_first: 'The server has a question for you first. Sign in to answer it.',
};

/** An answer that no sign-in of this browser waits for. */
export const unknownAnswer: Message = {
  status: 400,
  heading: 'This sign-in is not under way any more',
  text: 'It was finished already, began in another browser, or took too long. Nothing is lost: sign in again.',
};

/** The server's error, or what was wrong with its answer. RFC 6749 §4.1.2.1. */
export function failureOf(code: string): Message {
  if (code === 'access_denied') {
    const text =
      'You chose not to go on, so nothing was shared with this app. You can sign in whenever you like.';
    return { status: 200, heading: 'You are not signed in', text, detail: code };
  }
  const text =
    'The identity server did not let the sign-in through, or its answer could not be trusted. Please try again.';
  return {
    status: code === 'temporarily_unavailable' ? 503 : 400,
    heading: 'The sign-in did not work',
    text,
    detail: code,
  };
}

export function signedOutFrom(other: string): Message {
  const text = `Here, and at the identity server. ${other} learns of it when it asks: open it and choose “Am I still signed in?”.`;
  return { status: 200, heading: 'You are signed out', text };
}
