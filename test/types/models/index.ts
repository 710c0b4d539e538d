// The 12-entity model over circular modules.
export * from './base.ts';
export * from './user.ts';
export * from './address.ts';
export * from './tenant.ts';
export * from './order.ts';
export * from './product.ts';
export * from './employee.ts';
export * from './document.ts';
