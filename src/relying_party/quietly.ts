/** What an application is told of, it is told quietly: a log that fails is no reason to fail a token, or a sign-in. */
export function quietly<Fault>(tell: ((fault: Fault) => void) | undefined): (fault: Fault) => void {
  return (fault) => {
    try {
      tell?.(fault);
    } catch {
      // there is nobody else to tell
    }
  };
}
