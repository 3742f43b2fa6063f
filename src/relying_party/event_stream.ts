/** Server-sent events as they come in. HTML Living Standard §9.2.6; `retry` is not used. */

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** The last id that was named up to this event. */
  readonly id: string;
}

const longest = 65_536;

/**
 * Gives what to feed with text; it calls `dispatch` for each whole event, and with an empty `event` for an id without data. Throws
 * RangeError where an event does not end.
 */
export function createEventParser(dispatch: (event: StreamEvent) => void): (text: string) => void {
  let rest = '';
  let id = '';
  let event = '';
  let data: string[] = [];
  let size = 0;
  let named = false;

  function take(line: string): void {
    if (line === '') {
      if (data.length > 0) dispatch({ event: event || 'message', data: data.join('\n'), id });
      else if (named) dispatch({ event: '', data: '', id });
      [event, data, size, named] = ['', [], 0, false];
      return;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'id' && !value.includes('\0')) [id, named] = [value, true];
    if (field === 'data') {
      data.push(value);
      size += value.length;
    }
  }

  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
    if (rest.length + size > longest) throw new RangeError(`an event is longer than ${longest} characters`);
  };
}
