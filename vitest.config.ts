import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global_setup.ts'],
    pool: 'forks',
    maxWorkers: availableParallelism() + 1, // some tests wait; vitest by itself would leave one core idle
    isolate: false, // a worker reads the modules once; no test changes them
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
