// "node:perf_hooks".
export const performance = globalThis.performance;
export class PerformanceObserver {
  observe() {}
  disconnect() {}
}
export default { performance, PerformanceObserver };
