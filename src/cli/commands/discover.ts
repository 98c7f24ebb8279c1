import { formatActrId } from "../../protocol/ids.ts";
import { clientOptions, withClient } from "../client.ts";
import type { Command, Input, World } from "../command.ts";
import { countOf } from "../counts.ts";

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
    const count = countOf(input, "count", 10);
    await withClient(input, world, async ({ peer, signal }) => {
      const found = await peer.context.discover(input.positionals[0] ?? "", { count, signal });
      const ids = found.map(formatActrId);
      if (input.has("json")) world.out(JSON.stringify({ nodes: ids }));
      else for (const id of ids) world.out(id);
    });
    return 0;
  },
};
