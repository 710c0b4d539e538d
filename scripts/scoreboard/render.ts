// The scoreboard as files: Markdown for people, JSON for programs. The same run gives the same bytes.
import type { Feature, Score, Scoreboard } from './score.ts';

const PARTS: readonly (readonly [letter: string, title: string, about: string])[] = [
  ['F', 'Features', 'What SQLAlchemy and Alembic do, by their own names.'],
  ['X', 'What athanor adds', 'What those two do not have.'],
  [
    'T',
    'Faults',
    'What must be survived. After each: nothing acknowledged is lost or doubled, nothing leaks, every wait ends, no secret shows.',
  ],
  ['B', 'Bad input and hostile peers', 'What must be refused.'],
];

const ABOUT = `<!-- Written by \`npm run scoreboard\` from the test run. Do not edit. -->
# Scoreboard

A row is *proven* when a test carries its number in its title, shows every part of "what it does", passed in this run,
and, wherever a database has a part in it, was seen to reach that database. Everything else is *absent*.
Priority A must be there at 1.0, B is expected, C is for few. The tests of each row are in \`scoreboard.json\`.
`;

/** \`docs/scoreboard.md\`. */
export function renderMarkdown(features: readonly Feature[], board: Scoreboard): string {
  const parts = PARTS.map(([letter, title, about]) => {
    const rows = features.filter(({ number }) => number.startsWith(letter));
    const proven = rows.filter(({ number }) => board[number]?.state === 'proven').length;
    return { title, about, rows, proven };
  });
  return [
    ABOUT,
    '| | proven | of |\n|---|---|---|',
    ...parts.map(({ title, proven, rows }) => `| ${title} | ${proven} | ${rows.length} |`),
    ...parts.map(({ title, about, rows }) => `\n## ${title}\n\n${about}\n\n${renderRows(rows, board)}`),
    '',
  ].join('\n');
}

function renderRows(rows: readonly Feature[], board: Scoreboard): string {
  const head = '| # | P | feature | what it does | state | databases |\n|---|---|---|---|---|---|';
  const lines = rows.map(({ number, priority, name, what }) => {
    const { state, databases } = board[number] as Score;
    return `| ${[number, priority, cell(name), cell(what), state === 'proven' ? '**proven**' : 'absent', databases.join(', ')].join(' | ')} |`;
  });
  return [head, ...lines].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** \`docs/scoreboard.json\`: a line a row. */
export function renderJson(board: Scoreboard): string {
  const lines = Object.entries(board).map(([number, entry]) => `  ${JSON.stringify(number)}: ${JSON.stringify(entry)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}
