/** Answers of the API against their schemas, to the letter. */
import * as v from "valibot";

/** A schema that takes no field that it does not name, so that an answer cannot hold what is not documented. */
export const exact = (schema: unknown): v.GenericSchema => {
  const strict = (found: unknown): unknown => {
    if (typeof found !== "object" || found === null) return found;
    const s = found as Record<string, unknown>;
    switch (s["type"]) {
      case "object":
        return v.strictObject(
          Object.fromEntries(
            Object.entries(s["entries"] as object).map(([key, entry]) => [key, strict(entry)]),
          ) as never,
        );
      case "array":
        return v.array(strict(s["item"]) as v.GenericSchema);
      case "nullable":
        return v.nullable(strict(s["wrapped"]) as v.GenericSchema);
      case "exact_optional":
        return v.exactOptional(strict(s["wrapped"]) as v.GenericSchema);
      case "union":
      case "variant":
        return v.union((s["options"] as unknown[]).map((option) => strict(option) as v.GenericSchema));
      default:
        return found;
    }
  };
  return strict(schema) as v.GenericSchema;
};
