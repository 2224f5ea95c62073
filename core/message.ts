import { z } from "zod";

import { CHANNELS, type Channel } from "./channel.ts";

export { CHANNELS, type Channel };
export const channelSchema = z.enum(CHANNELS);
