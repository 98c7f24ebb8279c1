import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { World } from "../../../src/cli/command.ts";
import { run } from "../../../src/cli/run.ts";

/** What a command line did. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process, where no time passes that it would tell of. */
export async function roost(args: readonly string[], world: Partial<World> = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(args, {
    cwd: "/nowhere",
    env: {},
    clock: new FakeClock(),
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    drained: () => Promise.resolve(),
    input: async function* () {},
    ...world,
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}
