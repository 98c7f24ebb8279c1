import { guestFault } from "../../fault.ts";
import { hostInterface, workloadInterface } from "../binary/component/world.ts";
import type { CoreImport } from "../binary/prepared_component.ts";
import type { Bridge } from "./bridge.ts";
import { hostLinks } from "./host_links.ts";
import type { CoreFunction, Link, Links } from "./link.ts";
import { returnLinks } from "./return_links.ts";
import { ownTaskLinks, taskLinks } from "./task_links.ts";
import { wasiLinks } from "./wasi/wasi_links.ts";

/** One import of a guest, and what answers it. */
export interface Linked {
  readonly module: string;
  readonly name: string;
  readonly link: Link;
}

const interfaces: Readonly<Record<string, Links>> = {
  [hostInterface]: hostLinks,
  [`[export]${workloadInterface}`]: returnLinks,
  $root: taskLinks,
  "[export]$root": ownTaskLinks,
};

/** Any patch of WASI 0.2 is the same to us. */
const wasi = /^(wasi:[a-z-]+\/[a-z-]+)@0\.2\.\d+$/;

function linksOf(module: string): Links | undefined {
  const name = wasi.exec(module)?.[1];
  const links = name === undefined ? interfaces : wasiLinks;
  const key = name ?? module;
  return Object.hasOwn(links, key) ? (links as Record<string, Links>)[key] : undefined;
}

/** Finds what answers each import. @throws ActrError with fault `load_failed` when one is not for guests. */
export function link(imports: readonly CoreImport[]): Linked[] {
  return imports.map(({ module, name }) => {
    const links = linksOf(module);
    const found = links !== undefined && Object.hasOwn(links, name) ? links[name] : undefined;
    if (found !== undefined) return { module, name, link: found };
    throw guestFault(
      "load_failed",
      `the component imports '${name}' of '${module}', which guests do not have: they reach the world through ${hostInterface} alone`,
    );
  });
}

/** The functions that one instance imports. */
export function importsFor(guest: Bridge, linked: readonly Linked[]): WebAssembly.Imports {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module, name, link } of linked) {
    imports[module] ??= {};
    imports[module][name] = guarded(guest, link(guest));
  }
  return imports;
}

/** A guest that catches what a function of its host throws does not survive it. */
function guarded(guest: Bridge, run: CoreFunction): WebAssembly.ImportValue {
  return (...values: never[]): unknown => {
    try {
      guest.meter.chargeImport();
      return run(...values);
    } catch (error) {
      guest.doom ??= { error };
      throw error;
    }
  };
}
