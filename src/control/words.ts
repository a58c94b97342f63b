/** Words of the command line about programs and links, as the domain reads them. */
export { APPLICATION, parseGlobal, parseId, parseMetadata, parseProgram } from "../dispatcher/words.ts";
