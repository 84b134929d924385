/** The command line is not as it must be. */
export class UsageError extends Error {}

/** parseArgs' complaints as usage errors. */
export function orUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
