import type { RendezvousOptions } from "../../src/rendezvous/options.ts";
import { Rendezvous } from "../../src/rendezvous/rendezvous.ts";
import { openStunServer } from "../../src/rendezvous/stun/stun_server.ts";
import { systemDatagrams } from "../datagrams.ts";
import { bind, type Foundation, layFoundation, localUrl } from "./foundation.ts";
import type { RendezvousEndpointOptions, Runtime, ServedRendezvous } from "./options.ts";

/** Opens a rendezvous on the foundation's store. */
export async function openRendezvous(
  { store, clock, random, log, sockets, undo }: Foundation,
  options: RendezvousOptions = {},
): Promise<Rendezvous> {
  const rendezvous = await Rendezvous.open({ store, clock, random, log, sockets }, options);
  undo.push("rendezvous", async () => await rendezvous[Symbol.asyncDispose]());
  return rendezvous;
}

/** Serves a rendezvous alone, or as one of a cluster. @throws ActrError `config`, `storage`, `unavailable`; then nothing is left running. */
export async function serveRendezvous(
  runtime: Runtime,
  options: RendezvousEndpointOptions = {},
): Promise<ServedRendezvous> {
  const foundation = await layFoundation(runtime, {
    ...options,
    storeShared: options.cluster !== undefined,
  });
  const { undo } = foundation;
  try {
    const rendezvous = await openRendezvous(foundation, options);
    const server = await bind(foundation, options, rendezvous.fetch.bind(rendezvous));
    const stun = await answerStun(foundation, options);
    const url = localUrl(server);
    const stop = (): Promise<void> => undo.unwind();
    return { url, identity: `${url}/ais`, ...stun, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await undo.unwind();
    throw error;
  }
}

async function answerStun(
  { clock, undo }: Foundation,
  { stunPort, hostname }: RendezvousEndpointOptions,
): Promise<Pick<ServedRendezvous, "stunPort">> {
  if (stunPort === undefined) return {};
  const where = { port: stunPort, ...(hostname !== undefined && { hostname }) };
  const socket = await openStunServer({ clock, datagrams: systemDatagrams }, where);
  undo.push("stun", async () => await socket[Symbol.asyncDispose]());
  return { stunPort: socket.port };
}
