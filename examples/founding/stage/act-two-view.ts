// What act 2 looks like while it runs: built anew from the tallies ten times a second, and pure.
import { type Block, line, progress, type Span, sparkline, styled, table, type View } from '@athanor/cli';
import { quarantined, type Stage } from './act-two.ts';
import { SHARE } from './options.ts';
import type { Member } from './crew.ts';
import type { Backend } from './observer.ts';
import { elapsedOf, type VariantTally } from './tally.ts';

/** What the sparkline shows: the last so many looks. */
const LOOKS = 60;
const history: number[] = [];

/** The view of the stage as it stands. */
export function actTwoView(stage: Stage, begin: number): View {
  const { observer, options, tally, crew, server } = stage;
  const now = observer.backends.length;
  history.push(now);
  if (history.length > LOOKS) history.shift();
  const seconds = Math.max(0.001, (performance.now() - begin) / 1000);
  const rate = tally.variants.reduce((sum, variant) => sum + rateOf(variant), 0) / Math.max(1, tally.variants.length);
  const summary = [
    `${seconds.toFixed(0)} s: ${tally.iterations} iterations, ${rate.toFixed(1)}/s, ${tally.right} rows right`,
    `connections now ${now} / budget ${options.budget} / peak ${observer.peak}`,
    `killed ${crew.killed.size}, in quarantine ${quarantined(stage).length}`,
    `errors ${tally.errors.length}`,
  ].join('; ');
  return {
    summary,
    blocks: [
      line(`${server.title}, main process ${process.pid}, seed ${options.seed}`),
      ...tally.variants.map((variant) => variantBlock(stage, variant)),
      ...(tally.counts.length > 0
        ? [
            line(
              'shared row  ',
              tally.counts.map(({ way, value, expected }) => `${way} ${value}/${expected}`).join('  '),
            ),
          ]
        : []),
      line(),
      sparkline('server connections', history, {
        max: options.budget,
        note: `now ${now} / budget ${options.budget} / peak ${observer.peak}`,
      }),
      processTable(stage),
      line(),
      footer(stage),
    ],
  };
}

function rateOf(variant: VariantTally): number {
  const elapsed = elapsedOf(variant);
  return elapsed < 1 ? 0 : variant.iterations / (elapsed / 1000);
}

function variantBlock({ options }: Stage, variant: VariantTally): Block {
  const done = options.iterations === undefined ? elapsedOf(variant) / SHARE : variant.iterations / options.iterations;
  const note = `${variant.iterations} iterations, ${rateOf(variant).toFixed(1)}/s, ${variant.right} right, ${variant.killed} killed`;
  return progress(variant.name.padEnd(9), variant.end === undefined ? done : 1, note);
}

function processTable(stage: Stage): Block {
  const { crew, observer, tally, options } = stage;
  const of = (pid: number): Backend[] => observer.backends.filter(({ client }) => client === pid);
  const rows: Span[][] = [mainRow(of(process.pid), tally.right)];
  const brokers = observer.backends.filter(({ client }) => client === undefined);
  if (brokers.length > 0)
    rows.push(['', styled('accent', 'broker'), String(brokers.length), 'asks the server', '', '']);
  const members = [...crew.living.values()].slice(0, options.processes + 1);
  for (const member of members) rows.push(memberRow(member, of(member.pid)));
  for (const backend of quarantined(stage)) rows.push(quarantineRow(stage, backend));
  while (rows.length < options.processes + 4) rows.push([]);
  return table(
    [
      { title: 'pid', align: 'right', minWidth: 7 },
      { title: 'role', minWidth: 10 },
      { title: 'permits', align: 'right' },
      { title: 'does', minWidth: 34, shrinks: true },
      { title: 'waits', minWidth: 14 },
      { title: 'rows ok', align: 'right', minWidth: 7 },
    ],
    rows,
  );
}

function mainRow(backends: readonly Backend[], right: number): Span[] {
  return [String(process.pid), styled('accent', 'main'), String(backends.length), doing(backends), '', String(right)];
}

function memberRow(member: Member, backends: readonly Backend[]): Span[] {
  const age = `${((performance.now() - member.since) / 1000).toFixed(1)} s`;
  const waits = backends.some((backend) => backend.waits === 'Lock')
    ? 'for a lock'
    : backends.length === 0
      ? `${age} so far`
      : '';
  const does =
    member.row === undefined ? member.task : backends.length === 0 ? 'starts, gets a permit' : doing(backends);
  return [
    String(member.pid),
    'child',
    String(backends.length),
    does,
    waits,
    member.row === undefined ? '' : `row ${member.row}`,
  ];
}

function quarantineRow({ crew }: Stage, backend: Backend): Span[] {
  const killedAt = crew.killed.get(backend.client ?? 0)?.killedAt ?? performance.now();
  const age = `${((performance.now() - killedAt) / 1000).toFixed(1)} s`;
  return [
    String(backend.client),
    styled('bad', 'killed'),
    '1',
    styled('warn', `quarantine: server still in ${doing([backend])}`),
    age,
    '',
  ];
}

/** What a process does, as the server sees it. */
function doing(backends: readonly Backend[]): string {
  const [busy] = [...backends].sort((a, b) => rank(a) - rank(b));
  if (busy === undefined) return 'no connection';
  if (busy.state === 'active') return busy.statement.replace(/\s+/g, ' ').slice(0, 60);
  return busy.state;
}

const rank = ({ state }: Backend): number => (state === 'active' ? 0 : state === 'idle' ? 2 : 1);

function footer(stage: Stage): Block {
  const { crew, tally } = stage;
  const quarantine = quarantined(stage).length;
  const longest = `longest ${(Math.max(0, ...tally.quarantines.values()) / 1000).toFixed(1)} s`;
  return line(
    `killed ${crew.killed.size}`,
    '   ',
    styled(quarantine === 0 ? 'plain' : 'warn', `permits in quarantine ${quarantine} (${longest})`),
    '   ',
    tally.errors.length === 0 ? styled('good', 'errors 0') : styled('bad', `errors ${tally.errors.length}`),
  );
}
