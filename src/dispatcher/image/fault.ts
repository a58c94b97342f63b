/** What is wrong with an image, told by parts that do not know under which name the user asked for it. */
import type { Code } from "../../core/codes.ts";
import type { Params } from "../../core/errors.ts";

/** The codes about images, whose templates all name `{reference}`; only the credentials stand alone. */
export type ImageCode = Extract<Code, `IMAGE_${string}`>;

/** A row of the registry with its values, except for the reference, which `pullImage` adds. */
export class ImageFault extends Error {
  override readonly name = "ImageFault";
  readonly code: ImageCode;
  readonly params: Params;

  constructor(code: ImageCode, params: Params, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.params = params;
  }
}

/** An image that cannot be used, with the reason as half a sentence. */
export const invalid = (reason: string, options?: ErrorOptions): ImageFault =>
  new ImageFault("IMAGE_INVALID", { reason }, options);

/** Text from elsewhere as it may stand in a message: quoted, without control characters, cut to 100 characters. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > 100 ? `${text.slice(0, 99)}…` : text).replaceAll(
    /[\u007f-\u009f\u2028-\u202f\u2066-\u2069]/g,
    "?",
  );
