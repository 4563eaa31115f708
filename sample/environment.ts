import { plainToInstance } from 'class-transformer';
import { IsInt, Matches, Max, Min, validateSync } from 'class-validator';
import { ToNumber } from './common/to-number.js';

const PORT_RULE = { message: 'PORT is a whole number from 0 to 65535' };

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
  return { ...variables, PORT: environment.PORT, SHUTDOWN_DELAY: environment.SHUTDOWN_DELAY };
}
