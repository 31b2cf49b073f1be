/** How what an object says of itself is read, and what it may come to. Any field may be missing, or be something else. Pure. */
export type State = 'Current' | 'InProgress' | 'Failed' | 'Terminating';
export type Health = { state: State; message: string };

export const current: Health = { state: 'Current', message: '' };
export const inProgress = (message: string): Health => ({ state: 'InProgress', message });
export const failed = (message: string): Health => ({ state: 'Failed', message });

type Fields = Readonly<Record<string, unknown>>;

export function fieldsIn(of: unknown, field: string): Fields {
  const value = (of as Fields | null | undefined)?.[field];
  return value !== null && typeof value === 'object' ? (value as Fields) : {};
}

export function numberIn(fields: Fields, field: string): number | undefined {
  const value = fields[field];
  return typeof value === 'number' ? value : undefined;
}

export type SeenCondition = { status: string; reason: string; message: string };

export function conditionIn(object: unknown, type: string): SeenCondition | undefined {
  const { conditions } = fieldsIn(object, 'status');
  const found = Array.isArray(conditions)
    ? conditions.find((one) => (one as Fields | null)?.type === type)
    : undefined;
  if (found === undefined) return undefined;
  const { status, reason, message } = found as Fields;
  return { status: String(status), reason: String(reason ?? ''), message: String(message ?? '') };
}
