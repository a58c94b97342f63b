/** LibreQoS's 64-bit hash of circuit ids and node names. */
import { sipHash13 } from "../../core/siphash.ts";

/** SipHash-1-3 of a text's UTF-8 bytes, as a signed number. */
export const hashToI64 = (text: string): bigint => BigInt.asIntN(64, sipHash13(Buffer.from(text, "utf8")));
