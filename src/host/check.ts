import type { Schema, SchemaResult } from "../actor.ts";
import { ActrError, type ErrorCode } from "../errors.ts";

/** The value as its schema makes it; as it is without one. @throws ActrError `code`, saying what the schema says. */
export async function checkedBy<T>(
  schema: Schema<T> | undefined,
  value: unknown,
  code: ErrorCode,
): Promise<T> {
  return await outcome(schema, value, code);
}

/** As {@link checkedBy}, at once. @throws TypeError for a schema that answers later. */
export function checkedNow<T>(schema: Schema<T> | undefined, value: unknown, code: ErrorCode): T {
  const checked = outcome(schema, value, code);
  if (!(checked instanceof Promise)) return checked;
  checked.catch(() => {});
  throw new TypeError("the schema answers later, where the value is needed at once");
}

function outcome<T>(
  schema: Schema<T> | undefined,
  value: unknown,
  code: ErrorCode,
): T | Promise<T> {
  if (schema === undefined) return value as T;
  if (typeof schema !== "function") {
    const result = schema["~standard"].validate(value);
    if (result instanceof Promise) return result.then((later) => accepted(later, code));
    return accepted(result, code);
  }
  try {
    return schema(value);
  } catch (error) {
    throw ActrError.is(error) ? error : new ActrError(code, messageOf(error), { cause: error });
  }
}

function accepted<T>(result: SchemaResult<T>, code: ErrorCode): T {
  if (result.issues === undefined) return result.value;
  throw new ActrError(code, result.issues.map(({ message }) => message).join("; "));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
