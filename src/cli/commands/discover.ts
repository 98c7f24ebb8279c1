import { formatActrId } from "../../protocol/ids.ts";
import { parseU32 } from "../../protocol/numbers.ts";
import { clientOptions, withClient } from "../client.ts";
import type { Command, Input, World } from "../command.ts";
import { Misuse } from "../misuse.ts";

/** Lists the nodes of a type. */
export const discoverCommand: Command = {
  name: "discover",
  summary: "List the nodes of a type that are connected now",
  arguments: { usage: "TYPE", least: 1, most: 1 },
  options: {
    count: { value: "N", help: "at most so many (default 10)" },
    ...clientOptions,
  },
  example: "roost discover acme:EchoService:1.0.0",

  async run(input: Input, world: World): Promise<number> {
    const count = countOf(input.value("count"));
    await withClient(input, world, async ({ peer, signal }) => {
      const found = await peer.context.discover(input.positionals[0] ?? "", { count, signal });
      const ids = found.map(formatActrId);
      if (input.has("json")) world.out(JSON.stringify({ nodes: ids }));
      else for (const id of ids) world.out(id);
    });
    return 0;
  },
};

function countOf(text: string | undefined): number {
  if (text === undefined) return 10;
  const count = parseU32(text);
  if (count !== undefined && count > 0) return count;
  throw new Misuse(`--count is ${text}; it is a whole number above 0`);
}
