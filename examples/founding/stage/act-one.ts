// Act 1: the usual way, on a small server of its own, shown while it happens.
import { line, progress, type Screen, styled, table, type View } from '@athanor/cli';
import type { Options } from './options.ts';
import { startOwn } from './server.ts';
import { type UsualProcess, usualWay } from './usual-way.ts';

const ROOM = 20;
const PROCESSES = 6;
const DURATION = 3000;

export interface ActOne {
  readonly asked: number;
  readonly refused: number;
  readonly failed: number;
}

/** Plays it and gives the sums. */
export async function actOne(options: Options, screen: Screen, signal: AbortSignal): Promise<ActOne> {
  screen.print([line(), line(styled('bold', 'Act 1: the usual way'), ', each process with a pool of its own')]);
  const server = await startOwn(
    { tls: options.tls, settings: { max_connections: String(ROOM) }, role: 'usual' },
    signal,
  );
  const begin = performance.now();
  const show = (processes: readonly UsualProcess[]): void => {
    screen.update(view(processes, (performance.now() - begin) / DURATION, server.title));
  };
  try {
    const processes = await usualWay({
      url: server.url,
      processes: PROCESSES,
      duration: DURATION,
      signal,
      onChange: show,
    });
    show(processes);
    return sums(processes);
  } finally {
    await server.stop();
  }
}

function sums(processes: readonly UsualProcess[]): ActOne {
  const total = { asked: 0, refused: 0, failed: 0 };
  for (const { ok, refused, failed } of processes) {
    total.asked += ok + refused + failed;
    total.refused += refused;
    total.failed += failed;
  }
  return total;
}

function view(processes: readonly UsualProcess[], fraction: number, title: string): View {
  const { asked, refused } = sums(processes);
  const summary = `act 1: ${asked} queries asked, ${refused} refused by the server (53300, too many clients)`;
  return {
    summary,
    blocks: [
      line(`${title}, max_connections ${ROOM}; ${PROCESSES} processes, each a pg.Pool of 8`),
      progress('', fraction),
      table(
        [
          { title: 'process', align: 'right', minWidth: 7 },
          { title: 'asked', align: 'right', minWidth: 7 },
          { title: 'answered', align: 'right', minWidth: 8 },
          { title: 'refused', align: 'right', minWidth: 7 },
        ],
        processes.map(({ pid, ok, refused: no, failed }) => [
          String(pid),
          String(ok + no + failed),
          String(ok),
          no === 0 ? '0' : styled('bad', String(no)),
        ]),
      ),
      line(styled('bad', `${refused} of ${asked}`), ' queries refused: sorry, too many clients already'),
    ],
  };
}
