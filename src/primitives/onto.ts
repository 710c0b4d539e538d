/** A class whose constructor gives back its argument: the fields and private slots of a subclass then go onto that object. */
export class Onto {
  constructor(object: object) {
    // oxlint-disable-next-line no-constructor-return -- the one way to define fields on an object that exists
    return object;
  }
}
