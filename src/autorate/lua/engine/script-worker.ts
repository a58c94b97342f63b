/** The program of a script's thread: the only one that loads the Lua engine. */
import { serveScript } from "../../../linux/script/serve.ts";
import { openScript } from "./script.ts";

await serveScript(openScript);
