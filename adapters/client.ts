/**
 * Calls nodes without being one, on whichever runtime this is.
 * @module
 */
import type { WithActors } from "../src/actor_client.ts";
import { runningModule } from "./running.ts";
import type { ConnectOptions, Peer } from "./serve/options.ts";

export type { ConnectOptions, ListOptions, Peer, Target } from "./serve/options.ts";

/**
 * Connects to a rendezvous, or a node that embeds one, to call its peers.
 * @throws ActrError `config`, `registration`, `unavailable`; then nothing is left running.
 *
 * @example
 * ```ts
 * await using peer = await connect("http://localhost:8080");
 * const echo = peer.service(EchoService, "acme:EchoService:1.0.0");
 * console.log(await echo.echo({ message: "hi" }));
 * ```
 */
export async function connect<App extends WithActors = WithActors>(
  address: string,
  options: ConnectOptions = {},
): Promise<Peer<App>> {
  const running = await runningModule();
  return running.connect<App>(address, options);
}
