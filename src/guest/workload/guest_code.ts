import { ActrError } from "../../errors.ts";
import type { GuestCode, GuestKind } from "../../ports/guest_host.ts";
import type { VerifiedPackage } from "../package/verified_package.ts";

/** Target of packages whose code is JavaScript (`spec/guest.md` §19). */
export const scriptTarget = "roost-script";

/**
 * The code of a package, and how it is run: its target says that (`spec/guest.md` §7).
 * @throws ActrError `config` for native libraries, core modules and targets that nothing runs here.
 */
export function guestCode({ manifest, binary }: VerifiedPackage): GuestCode {
  return { kind: kindOf(manifest.binary), binary };
}

function kindOf({ target, kind }: VerifiedPackage["manifest"]["binary"]): GuestKind {
  if (target === scriptTarget) return "script";
  if (!target.startsWith("wasm32-")) throw unsupported(target);
  if (kind === "component") return "wasm";
  const what = kind === undefined ? "says no kind, which means a core module" : `is a ${kind}`;
  throw invalid(
    `the binary for ${target} ${what}; build it as a component: target wasm32-wasip2, kind "component"`,
  );
}

function unsupported(target: string): ActrError {
  const native = target.split("-").length >= 3;
  const what = native ? "a native library, which no guest may be" : "nothing that is run here";
  return invalid(
    `unsupported binary target ${target}: it is ${what}; build a component (wasm32-wasip2) or a script (${scriptTarget})`,
  );
}

function invalid(message: string): ActrError {
  return new ActrError("config", message, { details: { package: "invalid_manifest" } });
}
