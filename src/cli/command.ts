import type { Clock } from "../ports/clock.ts";

/** What a command has of the process around it. */
export interface World {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Says when the user is told of work that goes on. */
  readonly clock: Pick<Clock, "monotonic">;
  /** Writes one line for the user, or the machine, that asked. */
  out(line: string): void;
  /** Writes one line about what went wrong. */
  err(line: string): void;
  /** Resolves when the reader of the lines has caught up. @throws ActrError `unavailable` when it is gone. */
  drained(): Promise<void>;
  /** What is piped in, in pieces. */
  input(): AsyncIterable<Uint8Array>;
}

/** One option of a command. */
export interface OptionSpec {
  /** What its value is called in the help; absent for a switch. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly multiple?: true;
  readonly help: string;
}

/** Options by name, without dashes. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Positional arguments: how they are written, and how many there may be. */
export interface ArgumentsSpec {
  readonly usage: string;
  readonly least: number;
  readonly most: number;
}

/** What a command was given. */
export interface Input {
  /** The arguments as they were given, without the command's name. */
  readonly raw: readonly string[];
  readonly positionals: readonly string[];
  /** The last value of an option. */
  value(name: string): string | undefined;
  /** Every value of an option. */
  values(name: string): readonly string[];
  /** Whether a switch was given. */
  has(name: string): boolean;
}

/** One command of `roost`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments: ArgumentsSpec;
  readonly options: OptionSpecs;
  readonly example: string;
  /** Left out of the list of commands. */
  readonly hidden?: true;
  /** Resolves with the exit code. @throws Misuse, ActrError. */
  run(input: Input, world: World): Promise<number>;
}

/** Options that every command has. */
export const commonOptions: OptionSpecs = {
  help: { help: "show this text" },
  json: { help: "print for machines: JSON, one object a line" },
  verbose: { help: "log more, and show the stack of an error" },
};
