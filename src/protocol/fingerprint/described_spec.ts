import type { ServiceSpecSchema } from "../gen/actr_pb.ts";
import type { MessageInit } from "../schema.ts";
import { serviceFingerprint } from "./fingerprint.ts";

/** What a description tells beside the services. */
export interface SpecHead {
  readonly name: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** Unix seconds. */
  readonly publishedAt: number;
}

/** One file of a description. */
export interface FileOfSpec {
  /** As it is known among the files, with `.proto`. */
  readonly name: string;
  readonly content: string;
  readonly fingerprint: string;
}

/** What is announced of files whose sources and fingerprints are known (`spec/protocol.md` §10.1). */
export async function describedSpec(
  files: readonly FileOfSpec[],
  { name, description, tags = [], publishedAt }: SpecHead,
): Promise<MessageInit<typeof ServiceSpecSchema>> {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    fingerprint: await serviceFingerprint(files),
    protobufs: files.map(({ name: file, ...rest }) => ({
      package: file.replace(/(\.proto)+$/, ""),
      ...rest,
    })),
    publishedAt: BigInt(publishedAt),
    tags: [...tags],
  };
}
