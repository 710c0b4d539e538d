import * as athanor from 'athanor';
import { program } from './program.mjs';

await program(athanor, process.argv[2]);
