/** Tries until `look` returns without throwing, and returns what it returned; throws its last error after `withinMs`. */
export async function eventually<R>(look: () => Promise<R> | R, withinMs = 10_000): Promise<R> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
