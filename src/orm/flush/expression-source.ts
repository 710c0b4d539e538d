// An SQL expression that stands where a column's new value would. The plan only passes it on.

/** An expression of the SQL layer, opaque to the plan; `key` is its shape. */
export interface ExpressionSource {
  readonly key: string;
  readonly expression: object;
}
