import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Flight, type Probe } from "./flight.ts";

const probe = (sequence: number, sent: number, address = "a", kind: Probe["kind"] = "echo"): Probe => ({
  address,
  kind,
  sequence,
  token: 100 + sequence,
  sent: { monotonic: sent, wall: sent },
});

describe("probes under way", () => {
  it("are matched once, by address, kind, sequence and token", () => {
    const flight = new Flight();
    flight.add(probe(1, 0));
    assert.equal(flight.match("b", "echo", 1, 101, 5), "unasked");
    assert.equal(flight.match("a", "timestamp", 1, 101, 5), "unasked");
    assert.equal(flight.match("a", "echo", 2, 101, 5), "unasked");
    assert.equal(flight.match("a", "echo", 1, 102, 5), "token");
    assert.deepEqual(flight.match("a", "echo", 1, 101, 5), { probe: probe(1, 0), overtaken: 0 });
    assert.equal(flight.match("a", "echo", 1, 101, 6), "duplicate");
    assert.deepEqual(flight.waiting, []);
  });

  it("are too late after ten seconds, and forgotten after half a minute", () => {
    const flight = new Flight();
    flight.add(probe(1, 0));
    flight.add(probe(2, 5000, "b"));
    assert.deepEqual(flight.expire(10_000), []);
    assert.deepEqual(flight.expire(10_001), [probe(1, 0)]);
    assert.equal(flight.match("a", "echo", 1, 101, 11_000), "late");
    assert.equal(flight.match("b", "echo", 2, 102, 15_001), "late", "also before anybody has looked");
    flight.expire(31_000);
    assert.equal(flight.match("a", "echo", 1, 101, 31_000), "unasked");
  });

  it("are given up when a later one is answered, and taken all the same when they come", () => {
    const flight = new Flight();
    for (const sequence of [1, 2, 3]) flight.add(probe(sequence, sequence));
    flight.add(probe(4, 2.5, "b"));
    flight.add(probe(5, 2.5, "a", "timestamp"));
    const found = flight.match("a", "echo", 3, 103, 50);
    assert.ok(typeof found === "object" && found.overtaken === 2);
    assert.deepEqual(
      flight.waiting.map(({ sequence }) => sequence),
      [4, 5],
    );
    assert.ok(typeof flight.match("a", "echo", 2, 102, 60) === "object");
    assert.deepEqual(
      flight.expire(20_000).map(({ sequence }) => sequence),
      [4, 5],
      "1 was given up already",
    );
  });

  it("are waited for no more after a pause", () => {
    const flight = new Flight();
    flight.add(probe(1, 0));
    flight.overlook();
    assert.deepEqual([flight.waiting, flight.expire(20_000)], [[], []]);
  });

  it("may have a number again after it wrapped", () => {
    const flight = new Flight();
    flight.add(probe(7, 0));
    flight.match("a", "echo", 7, 107, 1);
    flight.add({ ...probe(7, 3_000_000), token: 1 });
    assert.ok(typeof flight.match("a", "echo", 7, 1, 3_000_010) === "object");
  });
});
