import { ActrError } from "../../errors.ts";

/**
 * The root of a registry, without slashes at its end; an `/ais` there, which names the identity service beside it, is cut.
 * @throws ActrError `config` for an address that is none of HTTP, or has credentials or a query.
 */
export function registryRoot(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.username + url.password + url.search + url.hash === "";
  if (plain && /^https?:$/.test(url.protocol)) {
    return text
      .replace(/\/+$/, "")
      .replace(/\/ais$/, "")
      .replace(/\/+$/, "");
  }
  const mend = "write http(s)://host[:port][/path], without credentials or query";
  throw new ActrError("config", `the registry's address cannot be used; ${mend}`);
}
