import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createEnvelopeEncoder, decodeEnvelope, encodeEnvelope } from "./envelope.ts";

const header = fc.record(
  { client_id: fc.string(), received_at: fc.string(), request_id: fc.string({ unit: "binary" }), ip: fc.string() },
  { requiredKeys: ["client_id", "received_at", "request_id"] },
);
const events = fc.array(fc.uint8Array({ maxLength: 80 }));

test("comes back as it went in, whatever the bytes", () => {
  fc.assert(
    fc.property(header, events, (header, events) => {
      const { header: read, events: found } = decodeEnvelope(encodeEnvelope(header, events));
      expect(read).toEqual(JSON.parse(JSON.stringify({ ...header, lengths: events.map((event) => event.length) })));
      expect(found).toEqual(events.map((event) => Buffer.from(event)));
    }),
  );
});

test("one encoder writes many envelopes", () => {
  fc.assert(
    fc.property(header, fc.array(events), (header, portions) => {
      const encode = createEnvelopeEncoder(header);
      for (const portion of portions) expect(encode(portion)).toEqual(encodeEnvelope(header, portion));
    }),
  );
});

test("what is no envelope is an error", () => {
  for (const text of ["", "{}", '{"lengths":[1]}\n', '{"lengths":[1]}\nab', "x\n"]) {
    expect(() => decodeEnvelope(Buffer.from(text))).toThrow(Error);
  }
});
