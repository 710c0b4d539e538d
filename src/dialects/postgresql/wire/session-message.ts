// What the server says of its own accord: a setting that changed, a notification of another session.
import type { Notification } from '../../../driver/driver.ts';
import { stringEnd } from './description.ts';
import type { Frame } from './frame.ts';
import { violation } from './protocol.ts';

/** Two strings that fill the message from `at` to its end. */
function twoStrings(frame: Frame, at: number): readonly [string, string] {
  const middle = stringEnd(frame, at);
  const end = stringEnd(frame, middle + 1);
  if (end + 1 !== frame.end) violation('a message with something behind its end');
  return [frame.bytes.toString('utf8', at, middle), frame.bytes.toString('utf8', middle + 1, end)];
}

/** ParameterStatus: the name and the value. */
export function readParameter(frame: Frame): readonly [name: string, value: string] {
  return twoStrings(frame, frame.start);
}

/** NotificationResponse. */
export function readNotification(frame: Frame): Notification {
  if (frame.end - frame.start < 6) violation('a notification that is too short');
  const [channel, payload] = twoStrings(frame, frame.start + 4);
  return Object.freeze({ channel, payload, pid: frame.view.getInt32(frame.start) });
}
