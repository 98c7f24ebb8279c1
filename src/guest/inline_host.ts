import { abortable } from "#async";
import type { GuestHost, GuestKind } from "../ports/guest_host.ts";

/** What loads the host of each kind of guest. */
export type GuestHostLoaders = Readonly<Record<GuestKind, () => Promise<GuestHost>>>;

/** Runs guests in this thread, by their kind; the host of a kind is loaded when its first guest is. */
export function inlineGuestHost(loaders: GuestHostLoaders): GuestHost {
  const hosts = new Map<GuestKind, Promise<GuestHost>>();
  const hostOf = (kind: GuestKind): Promise<GuestHost> => {
    const known = hosts.get(kind);
    if (known !== undefined) return known;
    const host = loaders[kind]();
    hosts.set(kind, host);
    host.catch(() => hosts.delete(kind));
    return host;
  };
  return {
    load: async (code, limits, signal) => {
      const host = await abortable(hostOf(code.kind), signal);
      return host.load(code, limits, signal);
    },
  };
}
