// What node-postgres leaves open while it opens a session: which authentication is good enough, whether the server
// proved itself, and what the server says of the session on the way.
import { AuthenticationError } from '../../../errors/index.ts';
import type { AuthMethod, ResolvedOptions } from '../driver/options.ts';
import { permit } from '../driver/startup.ts';
import type { PgMessage, PgWire } from './pg-module.ts';

export interface WatchedStartup {
  /** What this side refused, if it did. */
  readonly refusal: AuthenticationError | undefined;
  /** The server has said something of PostgreSQL's: TLS, where there is any, stands. */
  readonly answered: boolean;
  readonly tls: boolean;
  readonly parameters: Map<string, string>;
}

const METHODS: Readonly<Record<string, AuthMethod>> = {
  authenticationCleartextPassword: 'password',
  authenticationMD5Password: 'md5',
  authenticationSASL: 'scram-sha-256',
};

interface Policy {
  readonly options: ResolvedOptions;
  /** TLS, if it comes about, is verified. */
  readonly verify: boolean;
}

/** Watches a client's connection from before it connects. What is not acceptable ends it. */
export function watchStartup(wire: PgWire, { options, verify }: Policy): WatchedStartup {
  const seen = {
    refusal: undefined as AuthenticationError | undefined,
    answered: false,
    tls: false,
    parameters: new Map<string, string>(),
  };
  let asked: AuthMethod = 'none';
  let proved = false;

  function judge(message: PgMessage): void {
    if (message.name === 'parameterStatus')
      seen.parameters.set(String(message['parameterName']), String(message['parameterValue']));
    else if (message.name === 'authenticationSASLFinal') proved = true;
    else if (message.name === 'authenticationOk') {
      if (asked === 'none') {
        allow('none');
        bound(message);
      }
      // A server that does not know the password could say so too.
      else if (asked === 'scram-sha-256' && !proved)
        throw refused('the server broke off SCRAM before it proved itself');
    } else if (Object.hasOwn(METHODS, message.name)) {
      asked = METHODS[message.name] as AuthMethod;
      allow(asked);
      bound(message);
    }
  }

  function allow(method: AuthMethod): void {
    permit({ options, secured: { verified: seen.tls && verify } }, method);
  }

  function bound({ mechanisms }: PgMessage): void {
    if (options.channelBinding !== 'require') return;
    if (!seen.tls || !Array.isArray(mechanisms) || !mechanisms.includes('SCRAM-SHA-256-PLUS'))
      throw refused('channel binding is required and cannot be had with this server');
  }

  wire.on('sslconnect', () => {
    seen.tls = true;
  });
  wire.on('message', (message) => {
    seen.answered = true;
    try {
      judge(message);
    } catch (error) {
      seen.refusal ??= error as AuthenticationError;
      wire.stream.destroy();
    }
  });
  return seen;
}

function refused(message: string): AuthenticationError {
  return new AuthenticationError(message, { outcome: 'not-sent' });
}
