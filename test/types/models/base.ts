// What all models share.
import { declarativeBase, timestamptz, func } from '../../../src/index.ts';
export const timestamps = {
  createdAt: timestamptz().default(func.now()),
  updatedAt: timestamptz().default(func.now()).onUpdate(func.now()),
};
export class Base extends declarativeBase() {
  describe() {
    return `${this.constructor.name}`;
  }
}
