// Where lines go that are for people: the application's own logger, or standard error.

/** What most loggers are. `fields` say the same as the line, one by one. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Says what nobody waits for: to the logger, or else as a warning of the process. */
export function warn(logger: Logger | undefined, code: string, message: string): void {
  if (logger === undefined) process.emitWarning(message, { type: 'AthanorWarning', code });
  else logger.warn(message, { code });
}
