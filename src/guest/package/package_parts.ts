import type { ActrType } from "../../protocol/ids.ts";
import type { BinaryKind } from "./package_manifest.ts";

/** What a package is made of. */
export interface PackageParts {
  /** What it is; its manufacturer signs it. */
  readonly type: ActrType;
  readonly binary: Uint8Array;
  /** What the binary was built for, such as `wasm32-wasip2` or `roost-script`. */
  readonly target: string;
  /** @default `component` for a component whose target begins with `wasm32-`; else it is left open */
  readonly kind?: BinaryKind | undefined;
  /** @default `bin/actor.wasm`, whatever it is */
  readonly binaryPath?: string | undefined;
  /** By path. */
  readonly resources?: ReadonlyMap<string, Uint8Array> | undefined;
  /** By base name, such as `echo.proto`. */
  readonly protos?: ReadonlyMap<string, Uint8Array> | undefined;
  /** `manifest.lock.toml`. */
  readonly lockFile?: Uint8Array | undefined;
  readonly description?: string | undefined;
  readonly license?: string | undefined;
}
