import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { toBase64 } from "../../protocol/bytes.ts";
import { manufacturerKeyId } from "../../protocol/manufacturer.ts";
import { ed25519Bytes, importSigningKey } from "../../protocol/signing_key.ts";

/** A key file that was made now. */
export interface NewKeyFile {
  /** Its content, JSON: it holds the private key, and is for its owner's eyes alone. */
  readonly text: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** `mfr-` and 16 hexadecimal digits. */
  readonly keyId: string;
}

/** A new key pair as a file (`spec/guest.md` §4). @param note what it is for, for people. */
export async function generateKeyFile(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  note = "Signs packages. Whoever has the private key can sign in your name: keep it secret.",
): Promise<NewKeyFile> {
  const seed = random.bytes(ed25519Bytes.seed);
  const { publicKey } = await importSigningKey(seed);
  const content = {
    private_key: toBase64(seed),
    public_key: toBase64(publicKey),
    created_at: new Date(clock.now()).toISOString(),
    note,
  };
  seed.fill(0);
  const text = `${JSON.stringify(content, null, 2)}\n`;
  return { text, publicKey, keyId: await manufacturerKeyId(publicKey) };
}
