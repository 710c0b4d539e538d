// Listens with the shortest queue there is, says where, and is then stopped by whoever started it: connections pile up
// in the kernel until there is no room for one more.
import { createServer, type AddressInfo } from 'node:net';

const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.once('disconnect', () => process.exit(0));
