/**
 * Children of a run on other machines, over BullMQ and Redis.
 *
 * @module
 */
export { type Cluster, connectCluster } from './cluster.ts';
export type { ClusterOptions } from './connection.ts';
export { type ClusterWorker, startWorker, type WorkerOptions } from './worker.ts';
