// The driver contract on athanor's own driver: the oldest major, one between and the newest by TCP, the newest by every
// other transport.
import { driverContract } from '../suite/driver-contract.ts';

for (const version of [14, 16, 18]) driverContract({ transport: 'tcp', driver: 'own', version });
for (const transport of ['tls', 'socket', 'pgbouncer'] as const)
  driverContract({ transport, driver: 'own', version: 18 });
