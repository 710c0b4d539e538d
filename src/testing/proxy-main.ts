// The process of a fault proxy. It lives as long as its channel to the one that started it.
import { FaultProxy } from './fault-proxy.ts';
import type { ProxyAnswer, ProxyRequest } from './proxy-process.ts';

let proxy: Promise<FaultProxy> | undefined;

async function answered(request: ProxyRequest): Promise<ProxyAnswer> {
  if ('start' in request) proxy = FaultProxy.start(request.start);
  const running = await (proxy as Promise<FaultProxy>);
  if ('order' in request) await running.order(request.order);
  else if ('ask' in request && request.ask === 'struck') await running.struck();
  const { port, connections, roundTrips } = running;
  return { id: 'id' in request ? request.id : 0, port, connections, roundTrips };
}

process.on('message', (request: ProxyRequest) => {
  answered(request).then(
    (answer) => process.send?.(answer),
    () => process.exit(1),
  );
});
process.once('disconnect', () => process.exit(0));
