// The driver contract on every way to a server. Of the majors each driver meets the oldest and one between by TCP; the
// newest it meets by every transport.
import { driverContract } from '../suite/driver-contract.ts';

for (const driver of ['own', 'pg'] as const) {
  for (const version of [14, 16, 18]) driverContract({ transport: 'tcp', driver, version });
  for (const transport of ['tls', 'socket', 'pgbouncer'] as const) driverContract({ transport, driver, version: 18 });
}
