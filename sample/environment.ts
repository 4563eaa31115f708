import { plainToInstance } from 'class-transformer';
import { IsInt, IsOptional, Matches, Max, Min, MinLength, validateSync } from 'class-validator';
import { ToNumber } from './common/to-number.js';

const PORT_RULE = { message: 'PORT is a whole number from 0 to 65535' };

const PROXIES_RULE = { message: 'PROXIES is a whole number from 0 to 9' };

/** What Atlas itself reads from the environment. `REDIS_*` is read, and validated, by RedisModule, and `ENCRYPTION_*` by EncryptionModule. */
export class AtlasEnvironment {
  /** Port of the HTTP server; 0 takes a free one. @default 3000 */
  @ToNumber()
  @IsInt(PORT_RULE)
  @Min(0, PORT_RULE)
  @Max(65_535, PORT_RULE)
  PORT = 3000;

  /**
   * How long requests are still served after SIGTERM, while readiness says `shutting_down`: some periods of a load balancer that asks for
   * readiness itself. @default 0s
   */
  @Matches(/^\d+(?:ms|s)$/, { message: 'SHUTDOWN_DELAY is a duration such as 5s or 500ms' })
  SHUTDOWN_DELAY = '0s';

  /**
   * How many proxies stand before Atlas. The last so many addresses of X-Forwarded-For, and X-Forwarded-Proto, are believed: whose limit a
   * request counts for, and whether cookies are sent over TLS only, depends on it. @default 0
   */
  @ToNumber()
  @IsInt(PROXIES_RULE)
  @Min(0, PROXIES_RULE)
  @Max(9, PROXIES_RULE)
  PROXIES = 0;

  /** Signs the cookies of the sessions. The same for all replicas; who has a cookie that was signed with another one has to log in again. */
  @IsOptional()
  @MinLength(32, { message: 'SESSION_SECRET has at least 32 characters' })
  SESSION_SECRET?: string = undefined;
}

/**
 * For `ConfigModule.forRoot({ validate })`.
 *
 * @throws Error that names every variable that is wrong
 */
export function validateEnvironment(variables: Record<string, unknown>): Record<string, unknown> {
  const environment = plainToInstance(AtlasEnvironment, variables);
  const problems = validateSync(environment, { stopAtFirstError: true }).flatMap((problem) =>
    Object.values(problem.constraints ?? {}),
  );
  if (problems.length > 0) throw new Error(`The environment is not right: ${problems.join('; ')}`);
  const { PORT, SHUTDOWN_DELAY, PROXIES } = environment;
  return { ...variables, PORT, SHUTDOWN_DELAY, PROXIES };
}
