import type { RendezvousOptions } from "../../src/rendezvous/options.ts";
import { Rendezvous } from "../../src/rendezvous/rendezvous.ts";
import { bind, type Foundation, layFoundation, localUrl } from "./foundation.ts";
import type { EndpointOptions, Runtime, ServedRendezvous } from "./options.ts";

/** Opens a rendezvous on the foundation's store. */
export async function openRendezvous(
  { store, clock, random, log, sockets, undo }: Foundation,
  options: RendezvousOptions = {},
): Promise<Rendezvous> {
  const rendezvous = await Rendezvous.open({ store, clock, random, log, sockets }, options);
  undo.push("rendezvous", async () => await rendezvous[Symbol.asyncDispose]());
  return rendezvous;
}

/** Serves a rendezvous alone, or as one of a cluster. @throws ActrError `config`, `storage`; then nothing is left running. */
export async function serveRendezvous(
  runtime: Runtime,
  options: EndpointOptions & RendezvousOptions = {},
): Promise<ServedRendezvous> {
  const foundation = await layFoundation(runtime, {
    ...options,
    storeShared: options.cluster !== undefined,
  });
  const { undo } = foundation;
  try {
    const rendezvous = await openRendezvous(foundation, options);
    const server = await bind(foundation, options, rendezvous.fetch.bind(rendezvous));
    const url = localUrl(server);
    const stop = (): Promise<void> => undo.unwind();
    return { url, identity: `${url}/ais`, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await undo.unwind();
    throw error;
  }
}
