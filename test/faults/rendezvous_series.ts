import { delay } from "#async";
import type { Random } from "../../src/ports/random.ts";
import { type RendezvousFigures, RendezvousLoad } from "./rendezvous_load.ts";
import { RendezvousServers, type RendezvousServersOptions } from "./rendezvous_servers.ts";

/** How servers are killed. */
export interface RendezvousSeriesOptions extends RendezvousServersOptions {
  readonly nodes: number;
  readonly random: Random;
  /** Whether to kill once more, after so many times. */
  readonly more: (kills: number) => boolean;
  /** Longest quiet time before a kill, milliseconds. */
  readonly quietMs: number;
}

/**
 * Kills one server after the other under load. Each time the nodes have to go on with those that are left, and then with all
 * of them, spread anew. @throws when they do not.
 */
export async function killServers(
  options: RendezvousSeriesOptions,
): Promise<RendezvousFigures & { readonly kills: number }> {
  const { nodes, random, more, quietMs } = options;
  await using servers = await RendezvousServers.start(options);
  const load = new RendezvousLoad(servers.url, random);
  const done = new AbortController();
  const running = load.run(nodes, done.signal);
  let kills = 0;
  try {
    await load.goesOn();
    for (; more(kills); kills++) {
      await delay(random.next() * quietMs);
      const at = Math.floor(random.next() * options.servers);
      await servers.kill(at);
      await load.goesOn();
      await servers.run(at);
      load.spread();
      await load.goesOn();
    }
  } finally {
    done.abort();
    await running;
  }
  return { kills, ...(await load.check()) };
}
