/** `sluice api`: the API as an OpenAPI document. Needs no daemon. */
import { VERSION } from "../../linux/version.ts";
import { answer, type CliContext } from "../context.ts";
import { reporting } from "../report.ts";

async function api(this: CliContext, _flags: object): Promise<void> {
  const { openApi } = await import("../../api/openapi.ts");
  answer(this, JSON.stringify(openApi(VERSION), undefined, 2));
}

/** Runs the command. */
export default reporting(api);
