import type { Span, Tracer } from "./ports/tracer.ts";
import { type ActrId, formatActrId } from "./protocol/ids.ts";

/** `components`, whose spans say which node they are of (`actr_id`), read live. */
export function tracedAs<Components extends { readonly tracer?: Tracer | undefined }>(
  components: Components,
  selfId: () => ActrId,
): Components {
  const { tracer } = components;
  if (tracer === undefined) return components;
  const own: Tracer = {
    start: (name, parent, attributes) =>
      tracer.start(name, parent, { actr_id: formatActrId(selfId()), ...attributes }),
  };
  return { ...components, tracer: own };
}

/** The outcome of `work`, which ends its span; without a span nothing is added. */
export function spanned<T>(span: Span | undefined, work: Promise<T>): Promise<T> {
  return span === undefined ? work : ended(span, work);
}

async function ended<T>(span: Span, work: Promise<T>): Promise<T> {
  try {
    const result = await work;
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}
