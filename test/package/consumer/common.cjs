const athanor = require('athanor');

import('./program.mjs')
  .then(({ program }) => program(athanor, process.argv[2]))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
