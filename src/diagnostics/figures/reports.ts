import type { Omission, Report } from '../../inquiry/omission.js';

/** Memory of a server (`INFO memory`). Of several: sums; the highest fragmentation and ratio; the policy where it is the same. */
export interface MemoryFigures {
  /** Bytes. */
  readonly used: number;
  /** The most that was used since the server started, in bytes. Of several, the sum, though they need not have been there together. */
  readonly peak: number;
  /** What the system has given to the process, in bytes. */
  readonly resident: number;
  /** `resident` by `used`. Of little meaning for a server with little in it. */
  readonly fragmentation: number;
  /** `maxmemory` in bytes; undefined where there is none. Of several, the sum, if each has one. */
  readonly limit: number | undefined;
  /** Which part of `limit` is used, as the server compares them: without what it does not count either, buffers of replicas and of the append-only file. Undefined where there is no limit. Of several, the highest. */
  readonly ratio: number | undefined;
  /** `maxmemory-policy`: `noeviction`, `allkeys-lru`, …; `'mixed'` where nodes differ, `'unknown'` where they do not tell. */
  readonly policy: string;
  /**
   * Whether there is anything that the policy lets the server evict: under `volatile-…`, keys that expire. Without, it refuses writes once it
   * is full. Undefined where the server does not tell. Of several, `false` if one cannot.
   */
  readonly canEvict: boolean | undefined;
  /** Keys that were evicted since the server started. */
  readonly evicted: number;
}

export type MemoryReport = Report<MemoryFigures> & {
  /** What is wrong or will be, in plain words: memory that is nearly full and may not be evicted, no limit at all. */
  readonly warnings: readonly string[];
};

/** One look of {@link RedisInspector.watchMemory}. */
export interface MemorySample {
  /** When it was taken. */
  readonly at: Date;
  readonly memory: MemoryReport & MemoryFigures;
  /** Bytes by which `used` has grown or shrunk since the sample before; undefined for the first, and where other nodes answered. */
  readonly change: number | undefined;
  /** Bytes a minute, over the samples of the last five minutes (least squares); undefined until there are three. */
  readonly perMinute: number | undefined;
  /** Milliseconds until the limit is reached if it goes on like this; undefined where there is none, or it does not grow. */
  readonly untilLimit: number | undefined;
}

/** Keys of a database (`INFO keyspace`). */
export interface DatabaseFigures {
  readonly database: number;
  readonly keys: number;
  /** Keys with a time to live. */
  readonly expiring: number;
  /** Their average time to live, in milliseconds, as the server estimates it; 0 where it has not yet. */
  readonly averageTtl: number;
}

/** Keys of a server (`INFO keyspace`). Of several: sums by database. */
export interface KeyspaceFigures {
  readonly keys: number;
  /** Those that have keys. */
  readonly databases: readonly DatabaseFigures[];
}

/** What a command has cost since the server started, or its statistics were reset (`INFO commandstats`). */
export interface CommandFigures {
  /** In lower case; `config|get` for a subcommand. */
  readonly command: string;
  readonly calls: number;
  /** Milliseconds in all. */
  readonly time: number;
  /** Milliseconds for each call. */
  readonly average: number;
  /** Refused before they were executed: no permission, wrong arguments, no memory. */
  readonly rejected: number;
  /** Failed while they were executed. */
  readonly failed: number;
}

export interface CommandStatsFigures {
  /** As many as asked for, the first by calls or by time. */
  readonly commands: readonly CommandFigures[];
  /** Of all commands. */
  readonly calls: number;
  /** Milliseconds of all commands. */
  readonly time: number;
}

/** An entry of the slow log (`SLOWLOG GET`). Arguments are values of the application: see `SlowLogOptions.arguments`. */
export interface SlowCommand {
  readonly node: string;
  /** Of the server's count since it started. */
  readonly id: number;
  /** To the second. */
  readonly at: Date;
  /** Milliseconds that the server worked on it. */
  readonly took: number;
  /** In lower case. */
  readonly command: string;
  /** Without the command's name. As the server keeps them: at most 31, each up to 128 bytes. Only where asked for. */
  readonly arguments?: readonly string[];
  /** Name of the client's connection, where it has one. */
  readonly client?: string;
}

export interface SlowLogReport {
  /** The latest first. */
  readonly commands: readonly SlowCommand[];
  readonly omitted: readonly Omission[];
}

/** Connections of one name (`CLIENT SETNAME`). */
export interface NamedClients {
  /** '' for those without. */
  readonly name: string;
  readonly connections: number;
  /** The longest that one of them has been idle, in milliseconds. */
  readonly idleMost: number;
}

/** Connections to a server (`INFO clients`). Of several: sums. */
export interface ClientFigures {
  readonly connected: number;
  /** `maxclients`; undefined where the server does not tell. */
  readonly limit: number | undefined;
  /** Waiting in a blocking command. */
  readonly blocked: number;
  /** Refused since the server started, because `limit` was reached. */
  readonly rejected: number;
  /** The most connections first; undefined where `CLIENT LIST` is omitted. */
  readonly byName: readonly NamedClients[] | undefined;
}

/** A server and what goes through it (`INFO server`, `INFO stats`). Of several: sums; the shortest uptime. */
export interface ServerFigures {
  /** `'mixed'` where nodes differ. */
  readonly version: string;
  /** Of several, that of the first. */
  readonly flavour: 'redis' | 'valkey';
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  /** Milliseconds. */
  readonly uptime: number;
  readonly commandsPerSecond: number;
  /** Received and sent since the server started, in bytes. */
  readonly received: number;
  readonly sent: number;
}

/** What a server keeps on disk (`INFO persistence`). Of several: the worst; the sum of the changes. */
export interface PersistenceFigures {
  /** Whether it reads its data, and answers nothing else meanwhile. */
  readonly loading: boolean;
  readonly rdb: {
    /** Whether snapshots are made by themselves (`save`); undefined where that may not be read. */
    readonly enabled: boolean | undefined;
    readonly saving: boolean;
    /** To the second. Of a server that has made none, when it started. */
    readonly lastSave: Date;
    /** `'ok'` too where none was made yet; undefined where the server does not tell, as with those of `aof`. */
    readonly lastStatus: 'ok' | 'failed' | undefined;
    /** Writes since then. */
    readonly changes: number;
  };
  readonly aof: {
    readonly enabled: boolean;
    readonly rewriting: boolean;
    readonly lastWriteStatus: 'ok' | 'failed' | undefined;
    readonly lastRewriteStatus: 'ok' | 'failed' | undefined;
  };
}

/** A snapshot that was asked for (`BGSAVE`). */
export interface SaveFigures {
  /**
   * `'started'`; `'scheduled'` until the rewriting of the append-only file has ended; `'under way'` where one was already, which may not
   * have the latest writes. With `wait`, `'saved'` or `'failed'` if that was known in time. Of several nodes, the worst.
   */
  readonly state: SaveState;
}

export type SaveState = 'failed' | 'scheduled' | 'under way' | 'started' | 'saved';

/** A replica, as its master sees it. */
export interface ReplicaFigures {
  /** `host:port`, as the master knows it. */
  readonly replica: string;
  /** `online` once it is in step. */
  readonly state: string;
  /** Bytes that it has not confirmed; undefined before it is `online` and has confirmed something: then it is given its copy. */
  readonly behind: number | undefined;
  /** Milliseconds since it was heard of, to the second. */
  readonly lastHeard: number;
}

/** Of a replica, its link to the master. */
export interface MasterLink {
  readonly state: 'up' | 'down';
  /** Milliseconds since the master was heard of, to the second; undefined where it is down. */
  readonly lastHeard: number | undefined;
  /** Whether a whole copy is being transferred. */
  readonly syncing: boolean;
  /** Bytes of that copy that are still to come; undefined without one, or while its size is not known. */
  readonly syncLeft: number | undefined;
  /** Bytes that were received and not yet applied; undefined while a whole copy is transferred, and before Redis 7. How far it is behind what its master has, only that one knows. */
  readonly behind: number | undefined;
}

/** Who copies from whom (`INFO replication`). Of several: all replicas. */
export interface ReplicationFigures {
  /** The masters of a Cluster are asked. */
  readonly role: 'master' | 'replica';
  readonly link?: MasterLink;
  readonly replicas: readonly ReplicaFigures[];
}

/** Round trips of `PING`, in milliseconds: through the shared connection, so what waits there is in it. */
export interface RoundTrips {
  readonly samples: number;
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** An event that the server was slow with (https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/). */
export interface LatencyEvent {
  readonly event: string;
  /** When it was seen last, to the second. */
  readonly at: Date;
  /** Milliseconds. */
  readonly last: number;
  /** Milliseconds. */
  readonly worst: number;
}

/** How long a server takes. Of several: the worst. */
export interface LatencyFigures {
  /** Undefined where `PING` is omitted. */
  readonly roundTrip: RoundTrips | undefined;
  /** What the server has recorded (`LATENCY LATEST`): none unless `latency-monitor-threshold` is set; undefined where that is omitted. */
  readonly events: readonly LatencyEvent[] | undefined;
}
