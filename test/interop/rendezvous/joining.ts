import { type ActrId, typeOf, writeType } from "../peer/identity.ts";
import { Writer } from "../peer/protobuf.ts";
import { type Registered, type Registration, register } from "../peer/registration.ts";
import { Connection } from "./connection.ts";
import { answers, idsOf, requests } from "./envelope.ts";
import type { Server } from "./server.ts";

/** The realm of nodes that name none. */
export const realm = 1001;

/** A node that has just connected. */
export interface Joined {
  readonly registered: Registered;
  readonly connection: Connection;
}

/** Registers a node and connects it. */
export async function join(
  { ais, signaling }: Server,
  type: string,
  { answersOnly = false, ...more }: Partial<Registration> & { readonly answersOnly?: boolean } = {},
): Promise<Joined> {
  const registered = await register(ais, { type, realm, ...more });
  return { registered, connection: await Connection.open(signaling, registered, answersOnly) };
}

/** A question for nodes of a type, as the real client asks: for one, without fingerprint. */
export function candidatesOf(type: string, count = 1): Writer {
  return new Writer()
    .message(1, writeType(typeOf(type)))
    .message(2, new Writer().varint(1, count))
    .text(4, "");
}

/** The nodes of a type that `asker` is told. */
export async function discover(asker: Connection, type: string, count?: number): Promise<ActrId[]> {
  const { told } = await asker.request(requests.candidates, candidatesOf(type, count));
  const ok = told.message(answers.candidates)?.message(1);
  if (ok === undefined) throw new Error(`discovery of ${type} failed`);
  return idsOf(ok, 1);
}
