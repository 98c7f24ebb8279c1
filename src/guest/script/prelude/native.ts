/**
 * What the host gives the prelude: each a function that only it can reach. Numbers tell entries and calls apart; texts
 * are JSON.
 */
export interface Native {
  /** An entry ended, with bytes or with nothing. */
  reply(entry: number, bytes?: ArrayBuffer): void;
  /** An entry ended with an error. */
  fail(entry: number, error: string): void;
  /** Asks the node; `answer` is called with this number later. 0: nobody waits. */
  ask(call: number, what: string, payload?: ArrayBuffer): void;
  /** A line for the log, on behalf of the entry that runs. */
  log(level: string, message: string): void;
  /** UTF-8 of a text without NUL. */
  encode(text: string): ArrayBuffer;
  /** Text of UTF-8 without NUL; undefined when it has to be right and is not. */
  decode(bytes: ArrayBuffer, strictly: boolean): string | undefined;
}

/** The same in the order in which the host gives them. */
export type NativeList = readonly [
  Native["reply"],
  Native["fail"],
  Native["ask"],
  Native["log"],
  Native["encode"],
  Native["decode"],
];

/** What the host calls, in this order. None of them throws unless a limit is exceeded. */
export type Entrances = readonly [
  enter: (entry: number, what: string, payload?: ArrayBuffer) => void,
  answer: (
    call: number,
    error: string | undefined,
    value: ArrayBuffer | string | undefined,
  ) => void,
  describe: (thrown: unknown) => string,
  isDefined: () => number,
];
