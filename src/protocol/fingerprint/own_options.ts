import { clone } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { payload_type as payloadType } from "../gen/actr/options_pb.ts";

/** The file that declares `(actr.payload_type)`. */
const ownFile = "actr/options.proto";

/** Whether a file is Actr's own, of which services only use the option. */
export function isOwnFile(name: string): boolean {
  return name === ownFile || name.endsWith(`/${ownFile}`);
}

/**
 * A copy of a file without `(actr.payload_type)` and its import: these say how messages travel, not what they mean, and
 * other Actr tools can read no file that has them (`spec/protocol.md` §18, 20).
 */
export function withoutOwnOptions(file: FileDescriptorProto): FileDescriptorProto {
  const copy = clone(FileDescriptorProtoSchema, file);
  copy.dependency = copy.dependency.filter((name) => !isOwnFile(name));
  for (const { options } of copy.service.flatMap(({ method }) => method)) {
    if (options?.$unknown === undefined) continue;
    options.$unknown = options.$unknown.filter(({ no }) => no !== payloadType.number);
  }
  return copy;
}
