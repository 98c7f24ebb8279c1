import { packPackage } from "../../../../src/guest/package/pack.ts";
import type { PackageParts } from "../../../../src/guest/package/package_parts.ts";
import { utf8 } from "../../../../src/protocol/bytes.ts";
import { manufacturerKeyId } from "../../../../src/protocol/manufacturer.ts";
import { importSigningKey, type SigningKey } from "../../../../src/protocol/signing_key.ts";

/** Who signs packages. */
export class Signer {
  readonly key: SigningKey;
  readonly keyId: string;

  private constructor(key: SigningKey, keyId: string) {
    this.key = key;
    this.keyId = keyId;
  }

  static async from(seed: number): Promise<Signer> {
    const key = await importSigningKey(new Uint8Array(32).fill(seed));
    return new Signer(key, await manufacturerKeyId(key.publicKey));
  }

  /** A small package of its own. */
  pack(parts: Partial<PackageParts> = {}): Promise<Uint8Array> {
    const type = { manufacturer: "acme", name: "Echo", version: "1.0.0" };
    const binary = utf8("export default {};");
    return packPackage({ type, binary, target: "roost-script", ...parts }, this.key);
  }
}
