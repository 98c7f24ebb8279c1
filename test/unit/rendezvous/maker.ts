import { toBase64, toHex, utf8 } from "../../../src/protocol/bytes.ts";
import { sha256 } from "../../../src/protocol/crypto.ts";
import { manufacturerKeyId, manufacturerProofText } from "../../../src/protocol/manufacturer.ts";
import { RegisterAuthMode } from "../../../src/protocol/schema.ts";
import { importSigningKey, type SigningKey, sign } from "../../../src/protocol/signing_key.ts";
import type { RegisterFields } from "./ais_world.ts";

/** The package that is made. */
export const type = "acme:echo:1.0.0";
export const target = "wasm32-wasip2";

/** Who makes packages. */
export class Maker {
  readonly #key: SigningKey;
  readonly keyId: string;
  readonly publicKey: string;
  #nonces = 0;

  private constructor(key: SigningKey, keyId: string) {
    this.#key = key;
    this.keyId = keyId;
    this.publicKey = toBase64(key.publicKey);
  }

  static async from(seed: number): Promise<Maker> {
    const key = await importSigningKey(new Uint8Array(32).fill(seed));
    return new Maker(key, await manufacturerKeyId(key.publicKey));
  }

  manifest(lines: readonly string[] = []): string {
    const head = ['manufacturer = "acme"', 'name = "echo"', 'version = "1.0.0"'];
    const tail = [`signing_key_id = "${this.keyId}"`, ...lines];
    return [...head, ...tail, "[binary]", `target = "${target}"`].join("\n");
  }

  /** Signs the demand of a package: its manifest, and that it wants to register now. */
  async prove(
    signedAt: number,
    { manifest = this.manifest(), realm = 1, actrType = type } = {},
  ): Promise<Proof> {
    const manifestRaw = utf8(manifest);
    const nonce = new Uint8Array(16).fill(++this.#nonces);
    const manifestSha256Hex = toHex(await sha256(manifestRaw));
    const proof = { realm, actrType, target, manifestSha256Hex, signedAt, nonce };
    return {
      authMode: RegisterAuthMode.PACKAGE,
      target,
      manifestRaw,
      mfrSignature: await this.sign(manifestRaw),
      manufacturerAuthSignature: await this.sign(utf8(manufacturerProofText(proof))),
      manufacturerAuthSignedAt: BigInt(signedAt),
      manufacturerAuthNonce: nonce,
    };
  }

  sign(bytes: Uint8Array): Promise<Uint8Array> {
    return sign(this.#key, bytes);
  }
}

export interface Proof extends RegisterFields {
  readonly manifestRaw: Uint8Array;
  readonly mfrSignature: Uint8Array;
}
