/** What a link has carried so far; bytes are those of frame bodies. */
export class LinkTally {
  sentFrames = 0;
  sentBytes = 0;
  receivedFrames = 0;
  receivedBytes = 0;
  /** How long the last answer to a ping took, milliseconds. */
  rttMs: number | undefined;

  sent(bytes: number): void {
    this.sentFrames += 1;
    this.sentBytes += bytes;
  }

  received(bytes: number): void {
    this.receivedFrames += 1;
    this.receivedBytes += bytes;
  }
}
