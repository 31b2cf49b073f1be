import type { Logger } from 'pino';
import type { KubeObject } from '../../../crds/resource.ts';
import type { Clock } from '../core/clock.ts';
import { ReconcileError } from '../core/outcome.ts';
import { isConflict, KubeError } from '../kube/kube-error.ts';
import type { Context, Reader } from './controller.ts';
import type { EventText } from './events.ts';
import type { Verdict } from './status.ts';

export type VisitOptions = {
  read: Reader;
  clock: Clock;
  log: Logger;
  attempt: number;
  declared: readonly string[];
  deadlineMs: number;
  /** Aborts with the reconcile's deadline and with everything that ends the reconcile from outside. */
  signal: AbortSignal;
  /** What ends it from outside alone. */
  stopped: AbortSignal;
  publish: (visit: Visit) => Promise<void>;
  event: (text: EventText) => void;
};

/** What one reconcile has said so far, and the context through which it says it. */
export class Visit {
  readonly omitted = new Set<string>();
  readonly stepped = new Map<string, Verdict>();
  readonly reported: Record<string, unknown> = {};
  word: string | undefined;
  /** resourceVersion of the object as this reconcile knows it: as it was read, or as it last wrote it. */
  version: string;
  readonly #options: VisitOptions;

  constructor(version: string, options: VisitOptions) {
    this.version = version;
    this.#options = options;
  }

  context<T extends KubeObject>(): Context<T> {
    const { read, clock, log, attempt, signal, event, publish } = this.#options;
    return {
      read,
      clock,
      log,
      attempt,
      signal,
      step: (condition, work) => this.#step(condition, work),
      without: (condition) => void this.omitted.add(condition),
      report: (fields) => void Object.assign(this.reported, fields),
      summary: (word) => {
        this.word = word;
      },
      publishNow: () => publish(this),
      event: (type, reason, message) => event({ type, reason, message }),
    };
  }

  /** What a thrown error means to users, in the words that status may carry. */
  understand(error: unknown): unknown {
    if (error instanceof ReconcileError) return error;
    if (this.#options.signal.aborted && !this.#options.stopped.aborted) {
      const message = `not done after ${Math.round(this.#options.deadlineMs / 1000)}s`;
      return new ReconcileError('transient', 'DeadlineExceeded', message, { cause: error });
    }
    if (!(error instanceof KubeError)) return error;
    const reason = isConflict(error) ? 'Conflict' : 'ApiServerFailed';
    return new ReconcileError('transient', reason, error.message, { cause: error });
  }

  async #step<R>(condition: string, work: () => Promise<R> | R): Promise<R> {
    if (!this.#options.declared.includes(condition))
      throw new Error(`not a declared condition: ${condition}`);
    try {
      const result = await work();
      this.stepped.set(condition, { status: 'True', reason: 'Succeeded', message: '' });
      return result;
    } catch (error) {
      const understood = this.understand(error);
      const { reason, message } = understood instanceof ReconcileError ? understood : unexpected;
      this.stepped.set(condition, { status: 'False', reason, message });
      throw understood;
    }
  }
}

const unexpected = { reason: 'InternalError', message: 'an unexpected error; the operator log has it' };
