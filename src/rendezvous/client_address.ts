import type { RequestContext } from "../ports/sockets.ts";

/**
 * Whom a request counts against: the address of its socket or, behind a proxy, the last one of the header in which that
 * proxy names its client. Of IPv6 that is the network of 64 bits, since one host has all the addresses of it.
 */
export function clientAddress(
  request: Request,
  { remoteAddress }: RequestContext,
  header: string | undefined,
): string {
  const named = header === undefined ? undefined : request.headers.get(header);
  return network(named?.split(",").at(-1)?.trim() || remoteAddress);
}

/** Bits of a host are left out. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").toLowerCase().split("::", 2);
  const groups = head.split(":").filter((group) => group !== "");
  const after = (tail ?? "").split(":").filter((group) => group !== "");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array<string>(zeros).fill("0"), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
