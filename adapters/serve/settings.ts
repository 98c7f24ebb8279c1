import { ActrError } from "../../src/errors.ts";

/** Realm of development (`spec/protocol.md` §3.3: examples use small ones). */
export const defaultRealm = 1001;

/** The signaling socket on the identity service's host, where the real server has it (`spec/protocol.md` §7.1). */
export function signalingBeside(identity: string): string {
  const url = new URL("/signaling/ws", identity);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The identity service at an address: the address itself, or `/ais` on it where it has no path. @throws ActrError `config` for a text that is no address. */
export function identityAt(address: string): string {
  if (!URL.canParse(address) || !/^(https?|wss?):\/\//i.test(address)) {
    throw new ActrError("config", `${address} is no address; write http://host:port`);
  }
  const url = new URL(address.replace(/^ws/i, "http"));
  if (url.pathname === "/") url.pathname = "/ais";
  return url.href;
}
