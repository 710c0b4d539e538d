// From an open socket to a session that is ready: the startup message, the authentication the policy accepts, and what
// the server says of itself. Here the messages are few, so they are simply awaited one after the other.
import {
  AthanorError,
  AuthenticationError,
  ConnectError,
  ConnectionLostError,
  ProtocolError,
  ServerFullError,
} from '../../../errors/index.ts';
import { safeMessage, serverError } from '../errors.ts';
import { certificateHash } from '../wire/certificate-hash.ts';
import { stringEnd } from '../wire/description.ts';
import type { Frame } from '../wire/frame.ts';
import { isLoopback, isPrivate } from '../hosts.ts';
import { passFilePassword } from '../pass-file.ts';
import { poolerRefusal } from './pooler.ts';
import { MessageWriter } from '../wire/message-writer.ts';
import { type AuthMethod, type Place, placeName, type ResolvedOptions } from './options.ts';
import { BACKEND, FRONTEND, violation } from '../wire/protocol.ts';
import { type ChannelBinding, md5Answer, ScramExchange } from '../wire/scram.ts';
import { readServerFields, type ServerFields } from '../wire/server-message.ts';
import { readParameter } from '../wire/session-message.ts';
import type { StartupFrames } from './startup-frames.ts';
import type { Secured } from './tls-negotiation.ts';
import type { Transport } from './transport.ts';

const PROTOCOL_3_0 = 196608;
/** Notices and settings read past before an answer: a server that goes on for ever is not waited for. */
const MAX_PASSED = 1000;
const AUTH = { ok: 0, password: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;

/** What a cancel request has to show. */
export interface BackendKey {
  readonly pid: number;
  readonly secret: Buffer;
}

export interface StartupContext {
  readonly transport: Transport;
  readonly frames: StartupFrames;
  readonly options: ResolvedOptions;
  readonly secured: Secured;
  readonly applicationName: string | undefined;
  /** Filled with what the server says of the session. */
  readonly parameters: Map<string, string>;
}

function startupMessage({ options, applicationName }: StartupContext): Buffer {
  const writer = new MessageWriter();
  writer.int32(0);
  writer.int32(PROTOCOL_3_0);
  const parameters = {
    user: options.user,
    database: options.database,
    client_encoding: 'UTF8',
    DateStyle: 'ISO',
    application_name: applicationName,
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    writer.cString(name);
    writer.cString(value);
  }
  writer.byte(0);
  writer.end(0);
  return Buffer.from(writer.written);
}

function passwordMessage(write: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter();
  const at = writer.begin(FRONTEND.password);
  write(writer);
  writer.end(at);
  return Buffer.from(writer.written);
}

/** Refuses an authentication that is weaker than what is accepted here. */
export function permit(
  { options, secured }: { readonly options: ResolvedOptions; readonly secured: Pick<Secured, 'verified'> },
  method: AuthMethod,
): void {
  const { requireAuth, host, address = host } = options;
  if (requireAuth !== undefined) {
    if (requireAuth.includes(method)) return;
    throw new AuthenticationError(
      `the server asks for authentication '${method}', and only ${requireAuth.join(', ')} is accepted`,
      { outcome: 'not-sent' },
    );
  }
  if (method === 'scram-sha-256' || secured.verified || isLoopback(address) || isPrivate(address)) return;
  throw new AuthenticationError(
    `the server asks for authentication '${method}', which is accepted only inside verified TLS or on private hosts`,
    {
      hint: `Use scram-sha-256 on the server, verified TLS, or allow it with require_auth=${method}.`,
      outcome: 'not-sent',
    },
  );
}

/** The password of this occasion. */
export async function password({ options }: Pick<StartupContext, 'options'>): Promise<string> {
  const { passFile: file, host, port, database, user } = options;
  const given: unknown =
    options.password === undefined
      ? await passFilePassword({ file, host, port, database, user })
      : await options.password();
  if (given === undefined && options.password === undefined) {
    throw new AuthenticationError(`the server asks for a password and none was given for user '${user}'`, {
      outcome: 'not-sent',
    });
  }
  if (typeof given !== 'string' || given.includes('\0'))
    throw new AuthenticationError('the password given is no text without NUL', { outcome: 'not-sent' });
  return given;
}

/** A server's refusal during startup. */
export function startupRefusal(fields: ServerFields): AthanorError {
  const error = poolerRefusal(fields) ?? serverError(fields, { outcome: 'not-sent' });
  if (error instanceof AuthenticationError || error instanceof ServerFullError) return error;
  return new ConnectError(`the server refused the connection: ${safeMessage(fields)}`, {
    sqlState: fields['C'],
    serverDetail: error.serverDetail,
    outcome: 'not-sent',
  });
}

/** The next message that is an answer; notices are read past, settings are kept. */
async function next({ frames, parameters }: StartupContext): Promise<Frame> {
  let passed = 0;
  for (;;) {
    const frame = await frames.next();
    if (frame.type === BACKEND.error) throw startupRefusal(readServerFields(frame));
    if (frame.type === BACKEND.parameterStatus) parameters.set(...readParameter(frame));
    else if (frame.type !== BACKEND.notice) return frame;
    if (++passed > MAX_PASSED) violation('too many messages during startup');
  }
}

async function authenticationRequest(
  context: StartupContext,
): Promise<{ readonly code: number; readonly frame: Frame }> {
  const frame = await next(context);
  if (frame.type !== BACKEND.authentication || frame.end - frame.start < 4)
    return violation('something else where authentication was due');
  return { code: frame.view.getInt32(frame.start), frame };
}

function mechanisms(frame: Frame): readonly string[] {
  const names: string[] = [];
  let at = frame.start + 4;
  while (at < frame.end && frame.bytes[at] !== 0) {
    const end = stringEnd(frame, at);
    names.push(frame.bytes.toString('latin1', at, end));
    at = end + 1;
  }
  return names;
}

function channelBinding({ options, secured }: StartupContext, offered: readonly string[]): ChannelBinding {
  const mode = options.channelBinding ?? 'prefer';
  const { socket } = secured;
  const data =
    socket === undefined || mode === 'disable' ? undefined : certificateHash(socket.getPeerCertificate(true).raw);
  if (data !== undefined && offered.includes('SCRAM-SHA-256-PLUS')) return { use: 'bind', data };
  if (mode === 'require')
    throw new AuthenticationError('channel binding is required and cannot be had with this server', {
      outcome: 'not-sent',
    });
  return { use: data === undefined ? 'none' : 'supported' };
}

async function scram(context: StartupContext, offered: readonly string[]): Promise<void> {
  permit(context, 'scram-sha-256');
  if (!offered.some((name) => name.startsWith('SCRAM-SHA-256')))
    throw new AuthenticationError('the server offers no SCRAM-SHA-256', { outcome: 'not-sent' });
  const exchange = new ScramExchange(channelBinding(context, offered));
  const secret = await password(context);
  const first = Buffer.from(exchange.first());
  context.transport.write(
    passwordMessage((writer) => {
      writer.cString(exchange.mechanism);
      writer.int32(first.length);
      writer.raw(first);
    }),
  );
  const challenge = await expectSasl(context, AUTH.saslContinue);
  const answer = Buffer.from(await exchange.answer(challenge, secret));
  context.transport.write(passwordMessage((writer) => writer.raw(answer)));
  exchange.verify(await expectSasl(context, AUTH.saslFinal));
  const done = await authenticationRequest(context);
  if (done.code !== AUTH.ok) violation('no end to an authentication that succeeded');
}

async function expectSasl(context: StartupContext, code: number): Promise<string> {
  const request = await authenticationRequest(context);
  // In particular a plain "ok" here would let a server in that does not know the password.
  if (request.code !== code)
    throw new AuthenticationError('the server broke off SCRAM before it proved itself', { outcome: 'not-sent' });
  return request.frame.bytes.toString('utf8', request.frame.start + 4, request.frame.end);
}

async function authenticate(context: StartupContext): Promise<void> {
  const { code, frame } = await authenticationRequest(context);
  switch (code) {
    case AUTH.ok:
      permit(context, 'none');
      refuseUnbound(context);
      return;
    case AUTH.sasl:
      return scram(context, mechanisms(frame));
    case AUTH.password:
      permit(context, 'password');
      return answerPlainly(context, await password(context));
    case AUTH.md5: {
      permit(context, 'md5');
      if (frame.end - frame.start !== 8) violation('an MD5 challenge of the wrong size');
      const salt = Buffer.from(frame.bytes.subarray(frame.start + 4, frame.end));
      return answerPlainly(context, md5Answer({ user: context.options.user, password: await password(context) }, salt));
    }
    default:
      throw new AuthenticationError(`the server asks for an authentication this driver does not have (${code})`, {
        outcome: 'not-sent',
      });
  }
}

/** Whoever asks for channel binding gets no session without it, however it was let in. */
function refuseUnbound({ options }: StartupContext): void {
  if (options.channelBinding === 'require')
    throw new AuthenticationError('channel binding is required, and this authentication has none', {
      outcome: 'not-sent',
    });
}

async function answerPlainly(context: StartupContext, answer: string): Promise<void> {
  refuseUnbound(context);
  context.transport.write(passwordMessage((writer) => writer.cString(answer)));
  const { code } = await authenticationRequest(context);
  if (code !== AUTH.ok) violation('a second authentication request');
}

/** Speaks until the server is ready for statements. Gives the key for cancel requests. */
export async function startSession(context: StartupContext): Promise<BackendKey> {
  context.transport.write(startupMessage(context));
  await authenticate(context);
  let key: BackendKey | undefined;
  for (;;) {
    const frame = await next(context);
    const size = frame.end - frame.start;
    if (frame.type === BACKEND.backendKeyData && size >= 8 && size <= 4 + 256) {
      key = {
        pid: frame.view.getInt32(frame.start),
        secret: Buffer.from(frame.bytes.subarray(frame.start + 4, frame.end)),
      };
    } else if (frame.type === BACKEND.readyForQuery && size === 1 && frame.bytes[frame.start] === 0x49) {
      return key ?? { pid: 0, secret: Buffer.alloc(4) };
    } else violation('something that does not belong into startup');
  }
}

/** Whatever ended a startup, as one of athanor's errors. */
export function startupError(error: unknown, options: Place): AthanorError {
  const place = placeName(options);
  if (error instanceof ConnectionLostError || error instanceof ProtocolError)
    return new ConnectError(`no connection to ${place}: ${error.message}`, { cause: error, outcome: 'not-sent' });
  if (error instanceof AthanorError) return error;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const why = REASONS[code ?? ''] ?? code ?? 'an unknown failure';
  return new ConnectError(`no connection to ${place}: ${why}`, { cause: error, outcome: 'not-sent' });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'the name is unknown',
  EAI_AGAIN: 'the name cannot be resolved now',
  ECONNRESET: 'the server broke the connection off',
  EPIPE: 'the server broke the connection off',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'it cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  EACCES: 'this user may not use the socket',
};
