import type { Schema } from "../actor.ts";
import { ActrError, type ErrorCode } from "../errors.ts";

/** The value as its schema makes it; as it is without one. @throws ActrError `code`, saying what the schema says. */
export async function checkedBy<T>(
  schema: Schema<T> | undefined,
  value: unknown,
  code: ErrorCode,
): Promise<T> {
  if (schema === undefined) return value as T;
  if (typeof schema !== "function") {
    const result = await schema["~standard"].validate(value);
    if (result.issues === undefined) return result.value;
    throw new ActrError(code, result.issues.map(({ message }) => message).join("; "));
  }
  try {
    return schema(value);
  } catch (error) {
    throw ActrError.is(error) ? error : new ActrError(code, messageOf(error), { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
