// athanor/testing: what it takes to prove that a program survives its database's bad days.
export { FakeClock, settled } from './testing/clock.ts';
export { type FakeAnswer, FakeConnection, FakeDriver, type FakeScript } from './testing/fake-driver.ts';
export type { Cut, FaultOrder, FrameMatch, Way } from './testing/fault-order.ts';
export { FaultProxy, type FaultProxyTarget } from './testing/fault-proxy.ts';
export { FrameCutter, type StreamFrame } from './testing/frame-cutter.ts';
export { ProxyProcess } from './testing/proxy-process.ts';
export {
  completeMessage,
  errorMessage,
  LOGGED_IN,
  type MessagePart,
  readyMessage,
  rowDescription,
  serverMessage,
  statementHead,
  textRow,
  twoBytes,
} from './testing/server-message.ts';
export { type ScriptedPeer, type ScriptedServer, serveScript, type ServerScript } from './testing/server-script.ts';
