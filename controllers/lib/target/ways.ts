import { nameOfWay, type Way } from './access.ts';

/**
 * In which order ways are tried: as given, but for what experience says. The one that worked last comes first, those that
 * failed come last, the longest ago of them first.
 */
export class WayMemory {
  #worked: string | undefined;
  readonly #failed = new Map<string, number>();
  #failures = 0;

  order(ways: readonly Way[]): Way[] {
    const rank = (way: Way): number => {
      const name = nameOfWay(way);
      return name === this.#worked ? -1 : (this.#failed.get(name) ?? 0);
    };
    return [...ways].sort((a, b) => rank(a) - rank(b));
  }

  worked(way: Way): void {
    this.#worked = nameOfWay(way);
    this.#failed.delete(this.#worked);
  }

  failed(way: Way): void {
    this.#note(nameOfWay(way));
  }

  /** What was reached last does not answer after all. */
  doubt(): void {
    if (this.#worked !== undefined) this.#note(this.#worked);
  }

  #note(name: string): void {
    this.#failures += 1;
    this.#failed.set(name, this.#failures);
    if (this.#worked === name) this.#worked = undefined;
  }
}
