import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFds } from "../../test/helpers/leaks.ts";
import { Fd } from "./fd.ts";
import { FdStore } from "./fd-store.ts";
import { Notifier } from "./notify.ts";

checkFds();

test("descriptors of another process are not taken, and nobody below hears of them", () => {
  using notifier = new Notifier({});
  const environment = { LISTEN_PID: "1", LISTEN_FDS: "2", LISTEN_FDNAMES: "a:b", PATH: "/bin" };
  const store = new FdStore(notifier, environment);
  assert.deepEqual(environment, { PATH: "/bin" });
  store.release();
});

test("without a manager nothing is kept, and that is no fault", () => {
  using notifier = new Notifier({});
  const store = new FdStore(notifier, {});
  using fd = Fd.open("/dev/null");
  const [one, other] = [store.put(fd), store.put(fd)];
  assert.notEqual(one, other);
  store.remove(one);
  assert.equal(store.isEnding, false);
  store.end();
  store.remove(other);
  assert.equal(store.isEnding, true);
  assert.equal(fd.isOpen, true);
});
