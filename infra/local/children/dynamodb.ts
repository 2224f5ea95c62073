import dynalite from "dynalite";

import { serveUntilStopped } from "./serve-until-stopped.ts";

serveUntilStopped((path) => dynalite({ path, createTableMs: 10, deleteTableMs: 10, updateTableMs: 10 }));
