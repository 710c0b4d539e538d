// What a database says of a result's column. It stands alone because answers of every kind begin with it.

/** A column of a result as the server described it. */
export interface Field {
  readonly name: string;
  /** The database's own name or number for the type, for messages and reflection. */
  readonly type: string | number;
}
