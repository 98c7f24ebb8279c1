/** WebCrypto takes no memory that is shared between threads; ours never is. */
export function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/** SHA-256, 32 bytes. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", plain(bytes)));
}

/** HMAC of `message`: 20 bytes with SHA-1, 32 with SHA-256. The key must not be empty. */
export async function hmac(
  hash: "SHA-1" | "SHA-256",
  key: Uint8Array,
  message: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", plain(key), { name: "HMAC", hash }, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, plain(message)));
}
