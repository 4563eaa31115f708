import { Transform, type TransformFnParams } from 'class-transformer';
import {
  getMetadataStorage,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { DURATION_EXPECTED, toMilliseconds } from './duration.js';
import { showValue } from './mask.js';

const PORT_ACCEPTED = 'a port (1 to 65535; a Kubernetes tcp://host:port is understood)';
const DB_ACCEPTED = 'a database number (0 or more)';
const SWITCH_WORDS = new Map([
  ...['true', '1', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', '0', 'no', 'off'].map((word) => [word, false] as const),
]);

function rejectUnless(accepted: string) {
  return { message: ({ value }: ValidationArguments): string => `${showValue(value)} is not ${accepted}` };
}

/** Text that is no integer stays text, and is then refused as it was written. */
function toInteger({ value }: TransformFnParams): unknown {
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

function toSwitch({ value }: TransformFnParams): unknown {
  return typeof value === 'string' ? (SWITCH_WORDS.get(value.toLowerCase()) ?? value) : value;
}

const durationValidator = { validate: (value: unknown): boolean => toMilliseconds(value) !== undefined };

function IsDuration(): PropertyDecorator {
  return ValidateBy({ name: 'isDuration', validator: durationValidator }, rejectUnless(DURATION_EXPECTED));
}

/**
 * The environment variables of a connection, without their prefix (`REDIS_` for the connection `default`, `REDIS_<NAME>_` for
 * others). An empty variable is the same as none. This class turns text into values; what also holds for options given in code
 * (addresses, TLS, what excludes what) is checked where both meet. See `.env.example`.
 */
export class RedisEnvironment {
  /** `redis://user:password@host:6379/0`, `rediss://…` for TLS, `unix:///path`. Instead of HOST and PORT. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  URL?: string;

  /** Host name or IP address. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  HOST?: string;

  /** Port. `tcp://10.0.0.1:6379`, which Kubernetes sets for a Service called `redis`, is understood. */
  @IsOptional()
  @Transform(toInteger)
  @Max(65_535, rejectUnless(PORT_ACCEPTED))
  @Min(1, rejectUnless(PORT_ACCEPTED))
  @IsInt(rejectUnless(PORT_ACCEPTED))
  PORT?: number;

  /** Some of the Sentinels: `host:port,host:port`. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  SENTINELS?: string;

  /** Name of the master group that the Sentinels watch. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  SENTINEL_MASTER?: string;

  /** User name for the Sentinels themselves. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  SENTINEL_USERNAME?: string;

  /** Password for the Sentinels themselves. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  SENTINEL_PASSWORD?: string;

  /** Some of the nodes of a Cluster: `host:port,host:port`. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  CLUSTER_NODES?: string;

  /** User name (Redis ACL). */
  @IsOptional()
  @IsString(rejectUnless('text'))
  USERNAME?: string;

  /** Password. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  PASSWORD?: string;

  /** File that holds the password. It is read at each connect, so the password can be changed while the application runs. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  PASSWORD_FILE?: string;

  /** Database number. */
  @IsOptional()
  @Transform(toInteger)
  @Min(0, rejectUnless(DB_ACCEPTED))
  @IsInt(rejectUnless(DB_ACCEPTED))
  DB?: number;

  /** Whether to use TLS. */
  @IsOptional()
  @Transform(toSwitch)
  @IsBoolean(rejectUnless('true or false (1, 0, yes, no, on and off are understood too)'))
  USE_TLS?: boolean;

  /** Certificate authorities to trust, as PEM (line breaks may be written `\n`) or as the path of a file. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  CA_CERT?: string;

  /** Client certificate, as PEM or path. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  CLIENT_CERT?: string;

  /** Private key of the client certificate, as PEM or path. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  CLIENT_KEY?: string;

  /** Name to expect in the server's certificate. */
  @IsOptional()
  @IsString(rejectUnless('text'))
  TLS_SERVERNAME?: string;

  /** Whether the application needs Redis to start. */
  @IsOptional()
  @IsIn(['required', 'optional'], rejectUnless("'required' or 'optional'"))
  STARTUP?: 'required' | 'optional';

  /** How long to wait for Redis at start. */
  @IsOptional()
  @IsDuration()
  STARTUP_TIMEOUT?: string;

  /** How long one attempt to connect may take. */
  @IsOptional()
  @IsDuration()
  CONNECT_TIMEOUT?: string;

  /** How long a command may take. */
  @IsOptional()
  @IsDuration()
  COMMAND_TIMEOUT?: string;
}

/** Names of the variables without prefix, as declared by the class. */
export function environmentVariables(): (keyof RedisEnvironment)[] {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(RedisEnvironment, '', false, false);
  return [...new Set(metadata.map(({ propertyName }) => propertyName as keyof RedisEnvironment))];
}
