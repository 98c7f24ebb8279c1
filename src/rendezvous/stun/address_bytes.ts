/** The 4 or 16 bytes of an IP address, as runtimes write it; of an IPv4 address inside an IPv6 one, the 4. Undefined for what is none. */
export function addressBytes(text: string): number[] | undefined {
  const [address = ""] = text.split("%", 1);
  const inside = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (inside !== undefined) return v4(inside);
  return address.includes(":") ? v6(address) : v4(address);
}

function v4(text: string): number[] | undefined {
  const parts = text.split(".");
  const bytes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  return parts.length === 4 && bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function v6(text: string): number[] | undefined {
  const [head = "", tail, more] = text.split("::");
  const [before, after] = [groups(head), groups(tail ?? "")];
  if (before === undefined || after === undefined || more !== undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...before, ...Array<number>(missing).fill(0), ...after].flatMap((group) => [
    group >>> 8,
    group & 0xff,
  ]);
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))
    ? parts.map((part) => Number.parseInt(part, 16))
    : undefined;
}
