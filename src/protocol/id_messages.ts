import { create, isFieldSet } from "@bufbuild/protobuf";
import { ActrError } from "../errors.ts";
import {
  type ActrId as ActrIdMessage,
  ActrIdSchema,
  type ActrType as ActrTypeMessage,
  ActrTypeSchema,
} from "./gen/actr_pb.ts";
import { type ActrId, type ActrType, requireNumbers } from "./ids.ts";

/** The generated message of an id. @throws ActrError `invalid_argument` when realm is not a u32 or serial not a u64. */
export function toActrIdMessage(id: ActrId): ActrIdMessage {
  requireNumbers(id);
  return create(ActrIdSchema, {
    realm: { realmId: id.realm },
    serialNumber: id.serial,
    type: toActrTypeMessage(id.type),
  });
}

/** The id in a generated message. @throws ActrError `decode_failure` when it, its realm, serial number or type is missing. */
export function fromActrIdMessage(message: ActrIdMessage | undefined): ActrId {
  const { realm, type } = message ?? {};
  if (
    message === undefined ||
    realm === undefined ||
    !isFieldSet(message, ActrIdSchema.field.serialNumber)
  ) {
    throw new ActrError("decode_failure", "ActrId: it, its realm or its serial number is missing");
  }
  return { realm: realm.realmId, serial: message.serialNumber, type: fromActrTypeMessage(type) };
}

/** The generated message of a type. */
export function toActrTypeMessage(type: ActrType): ActrTypeMessage {
  const { manufacturer, name, version } = type;
  return create(ActrTypeSchema, { manufacturer, name, version });
}

/** The type in a generated message. @throws ActrError `decode_failure` when it is missing. */
export function fromActrTypeMessage(message: ActrTypeMessage | undefined): ActrType {
  if (message === undefined) throw new ActrError("decode_failure", "ActrType is missing");
  const { manufacturer, name, version } = message;
  return { manufacturer, name, version };
}
