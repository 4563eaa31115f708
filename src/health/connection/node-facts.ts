import {
  canEvict,
  Info,
  readClients,
  readMemory,
  readPersistence,
  readReplication,
  worstStatus,
  type ClientsReading,
  type LinkReading,
  type MemoryReading,
  type ReplicaReading,
  type WriteStatus,
} from '../../redis/shared.js';

/** What a check looks at in the reply of `INFO`. What the server does not tell is undefined. */
export interface NodeFacts {
  readonly isLoading: boolean;
  readonly role: 'master' | 'replica' | undefined;
  readonly memory: MemoryReading & {
    /** Whether there is anything that the policy lets the server evict. */
    readonly canEvict: boolean;
  };
  readonly clients: ClientsReading;
  /** Since the server started, like `rejected`. */
  readonly evicted: number | undefined;
  readonly rejected: number | undefined;
  readonly rdb: WriteStatus;
  readonly aof: WriteStatus | 'off';
  /** Of a replica, to its master. */
  readonly link: LinkReading | undefined;
  /** Of a master. */
  readonly replicas: readonly ReplicaReading[];
}

export function readNodeFacts(reply: string): NodeFacts {
  const info = new Info(reply);
  const memory = readMemory(info);
  const { loading, rdb, aof } = readPersistence(info);
  return {
    ...readReplication(info),
    isLoading: loading,
    memory: { ...memory, canEvict: canEvict(memory.policy, info) === true },
    clients: readClients(info),
    evicted: info.number('evicted_keys'),
    rejected: info.number('rejected_connections'),
    rdb: rdb.lastStatus,
    aof: aof.enabled === false ? 'off' : worstStatus([aof.lastWriteStatus, aof.lastRewriteStatus]),
  };
}
