import { ActrError } from "../errors.ts";
import { invalid } from "./invalid.ts";
import { isU32, parseU32 } from "./numbers.ts";

/** A type in a realm: `actr://<realm>:<manufacturer>+<name>@<version>` (`spec/protocol.md` §3.1). */
export interface ActrUri {
  /** u32. */
  readonly realm: number;
  readonly manufacturer: string;
  readonly name: string;
  /** Empty when the text ended in `@`. */
  readonly version: string;
}

const scheme = "actr://";

/** Text form of a URI. @throws ActrError `invalid_argument` without a version, or when realm is not a u32. */
export function formatActrUri(uri: ActrUri): string {
  const { realm, manufacturer, name, version } = uri;
  if (!isU32(realm)) throw invalid("InvalidRealmId", "expected a u32 as realm", String(realm));
  if (version === "") {
    throw new ActrError("invalid_argument", `expected a version of ${manufacturer}+${name}`, {
      details: { kind: "MissingVersion" },
    });
  }
  return `${scheme}${realm}:${manufacturer}+${name}@${version}`;
}

/** The URI in `text`; names are not checked. @throws ActrError `invalid_argument` with the fault as details `kind`. */
export function parseActrUri(text: string): ActrUri {
  if (!text.startsWith(scheme)) throw invalid("InvalidScheme", `expected ${scheme}…`, text);
  const rest = text.slice(scheme.length);
  if (rest === "") throw invalid("MissingAuthority", `expected something after ${scheme}`, text);
  const at = rest.lastIndexOf("@");
  if (at < 0) throw invalid("MissingVersion", "expected @version at the end", text);
  return { ...parseAuthority(rest.slice(0, at), text), version: rest.slice(at + 1) };
}

function parseAuthority(authority: string, text: string): Omit<ActrUri, "version"> {
  const colon = authority.indexOf(":");
  const [manufacturer, name, ...more] = authority.slice(colon + 1).split("+", 3);
  if (colon < 0 || manufacturer === undefined || name === undefined || more.length > 0) {
    throw invalid("InvalidAuthorityFormat", "expected realm:manufacturer+name", text);
  }
  const realm = parseU32(authority.slice(0, colon));
  if (realm === undefined) throw invalid("InvalidRealmId", "expected a decimal u32 as realm", text);
  return { realm, manufacturer, name };
}
