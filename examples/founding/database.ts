// Where the programme's database is. Every process of a run is told the same by its environment; alone, each file here
// starts a PostgreSQL of its own in ./data, so nothing needs to be installed.
export const url: string = process.env['DATABASE_URL'] ?? 'embedded:./data';
