/** The relay's program alone, on maps that a test fills itself. */
import { BpfObject } from "../../src/linux/bpf/object.ts";
import { type KernelMaps, MAP_PINS } from "../../src/relay/kernel/maps.ts";
import { relayProgram } from "../../src/relay/kernel/program.ts";

/** Loads it; the caller's to dispose. */
export function loadRelayProgram(maps: KernelMaps): BpfObject {
  const { image, globals } = relayProgram("");
  using owned = new DisposableStack();
  const object = owned.use(BpfObject.open("sluice", image));
  object.setReadOnlyData(Buffer.from(globals["config"]!, "hex"));
  for (const [name, pin] of Object.entries(MAP_PINS)) object.reuseMap(name, maps[pin].fd);
  object.load();
  owned.move();
  return object;
}
