// A child that says it is there and waits to be stopped.
process.on('message', () => {});
process.send?.('ready');
