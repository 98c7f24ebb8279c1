/// <reference lib="dom" />
/**
 * What the compiler makes of media in pages: live tracks are the browser's own there. Nothing here runs: tsc fails when a
 * line marked as an error compiles.
 */
import type { ActrId, LiveTrack, Media } from "@roost/edge";

/** Whether two types are the same, and neither is `any`. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function same<A, B>(_proof: Same<A, B>): void {}

export async function page(media: Media, friend: ActrId, camera: MediaStream): Promise<void> {
  same<LiveTrack, MediaStreamTrack>(true);
  // There may be no camera: then it is refused.
  const [source] = camera.getVideoTracks();
  const gone = await media.addTrack(friend, { id: "camera", codec: "VP8", source });
  same<typeof gone, AbortSignal>(true);
  media.watch("camera", (track, sender, ended) => {
    same<typeof track, MediaStreamTrack>(true);
    same<typeof sender, ActrId>(true);
    same<typeof ended, AbortSignal>(true);
    camera.addTrack(track);
  });
  // @ts-expect-error: a stream is many tracks
  await media.addTrack(friend, { id: "camera", codec: "VP8", source: camera });
  // @ts-expect-error: no such codec is agreed on
  await media.addTrack(friend, { id: "camera", codec: "VP9", source });
}
