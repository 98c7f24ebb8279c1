import type { ResolvedRule } from "../../protocol/acl.ts";
import { rulesOf } from "../../protocol/acl_message.ts";
import { toActrIdMessage } from "../../protocol/id_messages.ts";
import { type ActrId, formatActrType, parseActrId, peerKey } from "../../protocol/ids.ts";
import type { ActrId as WireId } from "../../protocol/schema.ts";
import type { Position } from "../discovery/candidate.ts";
import type { LoadReport, Profile } from "../discovery/directory.ts";
import type { Reachable } from "../reachable.ts";
import { loadOf, profileOf, type Report, type UpFrame } from "./frames.ts";

/** The way to a node: the server that it is connected to. */
export interface RemoteWay {
  /** Of that server in the cluster. */
  readonly number: number;
  /** When that server was last heard, in milliseconds of the monotonic clock. */
  readonly heardAt: number;
  /** Passes an encoded envelope to a node there; false when the way takes no more. */
  deliver(to: string, envelope: Uint8Array): boolean;
}

/** A node that is connected to another server of the cluster. */
export class RemoteNode implements Reachable {
  readonly id: ActrId;
  readonly wireId: WireId;
  readonly key: string;
  readonly type: string;
  readonly profile: Profile;
  readonly rules: readonly ResolvedRule[] | undefined;
  readonly answersOnly: boolean;
  readonly stamp: number;
  readonly way: RemoteWay;
  load: LoadReport | undefined;
  position: Position | undefined;

  /** @throws ActrError `decode_failure`, `invalid_argument` for a frame that says nothing of the kind. */
  constructor(frame: UpFrame, way: RemoteWay) {
    this.id = parseActrId(frame.id, { checkNames: false });
    this.wireId = toActrIdMessage(this.id);
    this.key = peerKey(this.id);
    this.type = formatActrType(this.id.type);
    this.profile = profileOf(frame);
    this.rules = this.profile.acl && rulesOf(this.profile.acl);
    this.answersOnly = frame.answersOnly;
    this.stamp = frame.stamp;
    this.way = way;
    this.report(frame.report);
  }

  /** Its server drops a connection that is silent; here it is as fresh as what that server says. */
  get heardAt(): number {
    return this.way.heardAt;
  }

  /** Takes note of what it said of itself. */
  report(report: Report): void {
    this.load = loadOf(report, this.way.heardAt);
    this.position = report.position;
  }

  pass(envelope: Uint8Array): boolean {
    return this.way.deliver(this.key, envelope);
  }

  /** Its server learns of it as of any node that has come up elsewhere. */
  displaced(): void {}
}
