import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { ActrError } from "../../errors.ts";

export type { FileDescriptorProto as DescribedFile } from "@bufbuild/protobuf/wkt";

/** A file from the ProtoJSON of its `google.protobuf.FileDescriptorProto`. @throws ActrError `invalid_argument` where it has an option that is not of protobuf's own, or is none. */
export function describedFile(json: JsonValue): FileDescriptorProto {
  try {
    return fromJson(FileDescriptorProtoSchema, json);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ActrError("invalid_argument", `the file has no fingerprint: ${reason}`, { cause });
  }
}
