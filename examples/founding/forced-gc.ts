// The scoped form once more, with the garbage collector forced to run inside the child while its session is open. That is
// the moment at which the founding failure struck: the collector found the session inherited from the parent and ended
// its transaction. Here there is nothing inherited to be found.
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine, defineJob, isMain, select, sessionmaker } from 'athanor';
import { url } from './database.ts';
import type { Iteration, Row } from './iteration.ts';
import { Base, Dummy } from './model.ts';

const engine = createEngine(url);
const Session = sessionmaker({ bind: engine });
