import kinesalite from "kinesalite";

import { serveUntilStopped } from "./serve-until-stopped.ts";

// Streams become active at once; its own command line would listen on every interface.
serveUntilStopped((path) =>
  kinesalite({ path, createStreamMs: 10, deleteStreamMs: 10, updateStreamMs: 10, shardLimit: 10_000 }),
);
