import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "../local/paths.ts";
import { describeServices } from "./documents.ts";

/** `npm run docs`: kept in the repository, so that a change of what we promise is seen in review. */
for (const [file, text] of Object.entries(describeServices())) writeFileSync(join(ROOT, "docs/api", file), text);
