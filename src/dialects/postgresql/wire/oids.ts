// The numbers PostgreSQL gives its built-in types. They never change between servers; types made by users have
// numbers from 16384 on and are only ever read and written as text.

/** The built-in types the driver knows by name. */
export const OID = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const;

/** Array type to element type. Only types whose array text is divided by commas are listed: not `box[]`. */
export const ELEMENT_OF: ReadonlyMap<number, number> = new Map([
  [199, OID.json],
  [1000, OID.bool],
  [1001, OID.bytea],
  [1002, OID.char],
  [1003, OID.name],
  [1005, OID.int2],
  [1007, OID.int4],
  [1009, OID.text],
  [1014, OID.bpchar],
  [1015, OID.varchar],
  [1016, OID.int8],
  [1021, OID.float4],
  [1022, OID.float8],
  [1028, OID.oid],
  [1185, OID.timestamptz],
  [1231, OID.numeric],
  [2951, OID.uuid],
  [3807, OID.jsonb],
  // time, date, timestamp, interval, timetz, inet, cidr, macaddr, bit, varbit, money: text to us.
  [1183, 1083],
  [1182, 1082],
  [1115, 1114],
  [1187, 1186],
  [1270, 1266],
  [1041, 869],
  [651, 650],
  [1040, 829],
  [1561, 1560],
  [1563, 1562],
  [791, 790],
]);

/** `box[]`, the one built-in array whose elements are divided by semicolons. */
export const BOX_ARRAY = 1020;
