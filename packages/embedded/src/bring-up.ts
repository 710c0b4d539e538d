// From an order to a running server: finds the programs, adopts what is alive, makes the cluster where there is none,
// and tries again where the system only needs a moment or another port.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Binaries, prepareBinaries } from './binaries.ts';
import { prepareCluster } from './cluster.ts';
import { type DataFolder, readRecord, type ServerRecord, type TlsMode } from './data-folder.ts';
import { EmbeddedError } from './embedded-error.ts';
import { serverIdentity } from './identity.ts';
import { tlsMode, type WatcherOrder } from './options.ts';
import { freePort } from './port.ts';
import { liveServer } from './postmaster-file.ts';
import type { Identity } from './reach.ts';
import { Server } from './server.ts';
import { serverSettings } from './server-settings.ts';
import { keepSocketFolder, removeSocketFolder } from './socket-folder.ts';
import { SUPERUSER } from './template.ts';

/** A running server with its record. */
export interface Running {
  readonly server: Server;
  readonly record: ServerRecord;
  readonly major: number;
}

interface Context {
  readonly data: DataFolder;
  readonly order: WatcherOrder;
  readonly binaries: Binaries;
  readonly who: Identity | undefined;
  readonly tls: TlsMode;
}

const BUSY_PORT = /could not bind|Address already in use|could not create any TCP\/IP sockets/;
const STILL_ENDING = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

/** Brings the server of a data folder up, or joins the one that is alive. */
export async function bringUp(data: DataFolder, order: WatcherOrder): Promise<Running> {
  const who = serverIdentity(data);
  const binaries = prepareBinaries(order, who);
  const context: Context = { data, order, binaries, who, tls: tlsMode(order.tls) };
  const before = readRecord(data);
  const adopted = await adoptLive(context, before);
  if (adopted !== undefined) return adopted;
  const password = await prepareCluster(context, before?.password);
  return launch(context, { password, port: order.port ?? before?.port, socketFolder: before?.socketFolder });
}

async function adoptLive(context: Context, before: ServerRecord | undefined): Promise<Running | undefined> {
  const live = liveServer(context.data.cluster);
  if (live === undefined) return undefined;
  const server = await Server.adopt(live.pid, context);
  if (before?.port === live.port) return { server, record: before, major: context.binaries.major };
  // Without its record nobody knows its password: it is ended and started anew.
  await server.stop('fast');
  return undefined;
}

interface Wish {
  readonly password: string;
  readonly port: number | undefined;
  /** Where the last server had its socket. */
  readonly socketFolder: string | undefined;
}

async function launch(context: Context, wish: Wish): Promise<Running> {
  let preferred = wish.port;
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(preferred);
    if (port === undefined) throw new EmbeddedError('ATH_EMBEDDED_START', 'No loopback port is free.');
    if (context.order.port !== undefined && port !== context.order.port) {
      throw new EmbeddedError('ATH_EMBEDDED_START', `Port ${context.order.port} is not free.`);
    }
    try {
      return await launchOn(context, { ...wish, port });
    } catch (error) {
      const text = error instanceof EmbeddedError ? error.message : '';
      if (attempt > 50 || !(BUSY_PORT.test(text) || STILL_ENDING.test(text))) throw error;
      if (BUSY_PORT.test(text)) preferred = undefined;
      else await sleep(100);
    }
  }
}

async function launchOn(context: Context, wish: Wish & { readonly port: number }): Promise<Running> {
  const { data, order, who, tls, binaries } = context;
  const given = order.settings ?? {};
  const { port, password } = wish;
  const socketFolder = keepSocketFolder(wish.socketFolder, who);
  const durable = order.durable ?? !order.temporary;
  const accessRules = order.accessRules ?? [];
  try {
    const settings = serverSettings({ data, who, port, tls, durable, socketFolder, accessRules, given });
    const server = await Server.start({ data, binaries, who, settings });
    const names = { user: SUPERUSER, database: 'postgres', password };
    const record: ServerRecord = { format: 1, port, ...names, tls, socketFolder, settings: given };
    return { server, record, major: binaries.major };
  } catch (error) {
    removeSocketFolder(socketFolder);
    throw error;
  }
}
