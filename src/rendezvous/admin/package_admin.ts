import { utf8 } from "../../protocol/bytes.ts";
import { formatActrType } from "../../protocol/ids.ts";
import type { Ais } from "../ais/ais.ts";
import { unacceptable } from "../ais/unacceptable.ts";
import type { Manufacturer, ManufacturerKey } from "../packages/manufacturers.ts";
import { readPackageManifest } from "../packages/package_manifest.ts";
import type { PublishedPackage } from "../packages/packages.ts";

/** Writes down a change that was made, and lets other servers see it. */
export type Changed = (event: string, attributes: Readonly<Record<string, unknown>>) => void;

/** What operators do about packages: whose signatures count, and which need none. */
export class PackageAdmin {
  readonly #ais: Ais;
  readonly #changed: Changed;

  constructor(ais: Ais, changed: Changed) {
    this.#ais = ais;
    this.#changed = changed;
  }

  manufacturers(): Manufacturer[] {
    return this.#ais.manufacturers.list();
  }

  /** @throws ActrError as `Manufacturers.trust`. */
  async trustKey(name: string, publicKey: string, expiresAt?: number): Promise<ManufacturerKey> {
    const until = expiresAt === undefined ? {} : { expiresAt };
    const key = await this.#ais.manufacturers.trust(name, publicKey, until);
    this.#changed("manufacturer_key_trusted", { manufacturer: name, key_id: key.keyId });
    return key;
  }

  /** @throws ActrError as `Manufacturers.revoke`. */
  async revokeKey(name: string, keyId: string): Promise<void> {
    await this.#ais.manufacturers.revoke(name, keyId);
    this.#changed("manufacturer_key_revoked", { manufacturer: name, key_id: keyId });
  }

  /** @throws ActrError as `Manufacturers.setSuspended`. */
  async suspend(name: string, suspended: boolean): Promise<void> {
    await this.#ais.manufacturers.setSuspended(name, suspended);
    const event = suspended ? "manufacturer_suspended" : "manufacturer_reinstated";
    this.#changed(event, { manufacturer: name });
  }

  packages(): PublishedPackage[] {
    return this.#ais.packages.list();
  }

  /** Publishes the package of a manifest (text of TOML): its type and target are those that it names. @throws ActrError `invalid_argument`; as `Packages.publish`. */
  async publish(manifest: string): Promise<PublishedPackage> {
    const { type, target = "" } = readPackageManifest(utf8(manifest));
    if (Object.values(type).includes("") || target === "") {
      const reason = "the manifest must name manufacturer, name, version and binary.target";
      throw unacceptable(reason, "manifest");
    }
    const wanted = { type: formatActrType(type), target, manifest: utf8(manifest) };
    const published = await this.#ais.packages.publish(wanted, this.#ais.clock.now());
    this.#changed("package_published", { type: published.type, target });
    return published;
  }

  /** @throws ActrError as `Packages.revoke`. */
  async revokePackage(type: string, target: string): Promise<PublishedPackage> {
    const revoked = await this.#ais.packages.revoke(type, target);
    this.#changed("package_revoked", { type, target });
    return revoked;
  }
}
