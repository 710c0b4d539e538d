// Rows become entities here: found in the identity map or made, once for each row of a table in a session. What is
// already here and was read in this transaction stays as it is; what is stale takes the row; what carries changes of
// the user's is left alone.
import type { Scalar } from '../../types/wire.ts';
import type { Baseline } from '../entity/baseline.ts';
import { constructOver, type RowInHand } from '../entity/construction.ts';
import { type Companions, EntityState } from '../entity/entity-state.ts';
import { identityKeyAt, type IdentityKey } from '../entity/identity-key.ts';
import type { Mapper } from '../mapping/mapper.ts';
import { forgetRelations } from '../relations/relation-field.ts';
import type { ClassStore } from './class-store.ts';
import type { Frame } from './frame.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** Which entities that are here already take a row's values: stale ones only, all without unsaved changes, or all. */
export type Overwrite = 'stale' | 'clean' | 'all';

export interface ReadOptions {
  readonly overwrite: Overwrite;
  /** Entities that no session watches. */
  readonly readOnly: boolean;
}

/** Reads one entity item of the rows of one result. */
export class EntityReader {
  readonly mapper: Mapper;
  readonly companions: Companions = { states: [] };
  readonly #unit: UnitOfWork;
  readonly #store: ClassStore;
  readonly #frame: Frame;
  readonly #start: number;
  readonly #options: ReadOptions;
  /** One for all rows. */
  #hand: RowInHand | undefined;

  constructor(
    unit: UnitOfWork,
    at: { readonly mapper: Mapper; readonly start: number; readonly frame: Frame },
    options: ReadOptions,
  ) {
    this.mapper = at.mapper;
    this.#unit = unit;
    this.#store = unit.store(at.mapper);
    this.#frame = at.frame;
    this.#start = at.start;
    this.#options = options;
  }

  /** The entity in `row`; `null` where an outer join found none. */
  read(row: Scalar[]): object | null {
    const state = this.readState(row);
    return state === null ? null : state.entity;
  }

  readState(row: Scalar[]): EntityState | null {
    const key = identityKeyAt(row, this.#start, this.mapper.primaryKey);
    if (key === undefined) return null;
    const known = this.#options.readOnly ? undefined : this.#store.get(key);
    const state = known ?? new EntityState(this.mapper);
    if (known === undefined) this.#make(state, key, row);
    else if (this.#options.overwrite !== 'stale' || known.missing !== undefined || !this.#unit.isFresh(known)) {
      this.#refresh(known, row);
    }
    if (state.companions !== this.companions) {
      state.companions = this.companions;
      this.companions.states.push(state);
    }
    return state;
  }

  #make(state: EntityState, key: IdentityKey, row: Scalar[]): void {
    const { mapper } = this;
    const { format } = mapper;
    const baseline = format.take(row, this.#start);
    const { values } = format;
    state.key = key;
    state.baseline = baseline;
    const tracked = !this.#options.readOnly;
    state.status = tracked ? 'persistent' : 'detached';
    if (tracked) {
      state.owner = this.#unit.owner;
      state.frame = this.#unit.clock;
    }
    this.#hand ??= { values, state, stamp: mapper.stamp };
    this.#hand.values = values;
    this.#hand.state = state;
    const entity = constructOver(mapper.entityClass, this.#hand);
    mapper.restamp(entity, values);
    if (tracked) this.#store.track(state, true);
  }

  #refresh(state: EntityState, row: Scalar[]): void {
    const { mapper } = this;
    if (this.#options.overwrite !== 'all' && this.#carriesChanges(state)) return;
    const { format } = mapper;
    const baseline = format.take(row, this.#start);
    const { values } = format;
    this.#frame.keep(state);
    forgetRelations(state);
    mapper.stamp(state.entity, values);
    state.frame = this.#unit.clock;
    state.missing = undefined;
    state.expressions = undefined;
    this.#store.rebase(state, baseline, true);
  }

  #carriesChanges(state: EntityState): boolean {
    if (state.expressions !== undefined && state.expressions.size > 0) return true;
    const { format, columns } = this.mapper;
    const baseline = state.baseline as Baseline;
    if (state.slot !== -1) return format.differs(state.entity, baseline);
    return columns.some((_, index) => format.columnDiffers(state.entity, baseline, index));
  }
}
